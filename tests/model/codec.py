"""States as short byte strings, and back.

`Codec(world)` writes canonical keys: two states with one key have the same futures (README.md says why for
each step of the reduction). `Codec(world, exact=True)` writes down everything, for protocols with a planted
bug, where the reasons need not hold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from challenger.game.lists import Words
from challenger.game.types import (
    NOBODY,
    Claim,
    Match,
    Node,
    Position,
    Round,
    Side,
    Stage,
    Staker,
    State,
    Status,
)
from challenger.strategy.acts import Act
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    GENESIS_LEAF,
    compute_claim_id,
    compute_leaf,
    compute_match_id,
)
from tests.model.board import Board
from tests.model.world import HONEST, NOW, REFUND, World
from tests.support.twin_source import Protocol

MISSING: Final = 255
VOID: Final = 254  # a match that has lost a claim: only its refunds are left

MIDDLE: Final = 125
STATUSES: Final = tuple(Status)
SIDES: Final = tuple(Side)

Key = bytes


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a match between the honest player (side 0) and another: all but clocks and names."""

    round: bytes
    nodes: tuple[bytes, bytes]
    prev: bytes
    batch: int
    rest: bytes
    start: int
    height: int
    stage: Stage
    is_honest_turn: bool
    disputed: int  # position of the input that the traces are about; -1 before


class Codec:
    """Keys for the states of one world."""

    def __init__(self, world: World, *, exact: bool = False) -> None:
        self.world = world
        self.exact = exact
        self.reach = 2 * world.config.period + 2  # exact keys reach no further back
        self.money = world.config.money or exact
        self.spots: list[Spot] = []
        self.spot_numbers: dict[tuple[object, ...], int] = {}
        self.plans: list[tuple[Act, ...]] = []
        self.plan_numbers: dict[tuple[Act, ...], int] = {}
        self.hidden_bits = [(node, 1 << i) for i, node in enumerate(world.hidden)]
        self.claim_ids = {
            (end.index, account): compute_claim_id(end.id, account)
            for end in world.ends
            for account in world.accounts
        }
        self.leaves = [compute_leaf(end.root, end.round + 1, ZERO) for end in world.ends]
        self.history_roots = [end.provider.get_history(end.round, end.round + 1).root for end in world.ends]
        self.match_ids = {
            (left, right): compute_match_id(left, right)
            for (_, one), left in self.claim_ids.items()
            for (_, other), right in self.claim_ids.items()
            if left < right and HONEST in (one, other)
        }
        self.masks = [self._list_subsets(ends) for ends in world.round_ends]
        self.unions = [{mask: union for union, mask in masks.items()} for masks in self.masks]
        self.is_open: list[bool] = []  # by round, of the state that is being written
        self.opened: dict[int, Mapping[bytes, Words]] = {}

    # ---------------------------------------------------------------------------------------------- writing

    def encode(self, board: Board) -> Key:
        """The key of a state. A canonical key retires what can do nothing any more: the board changes."""
        state, world = board.state, self.world
        self.is_open = [board.rollup.is_open(parent) for parent in world.parents]
        if not self.money and not world.config.elsewhere:
            self._retire_copies(board)
        out = [board.phase, board.censored]
        if world.config.front_run:
            number = self.plan_numbers.setdefault(board.pending, len(self.plans))
            if number == len(self.plans):
                self.plans.append(board.pending)
            out += divmod(number, 256)
        ages: dict[bytes, int] = {}  # age in ticks of a birth, by node; of a reveal, by claim
        claims: dict[bytes, list[tuple[bytes, Claim]]] = {account: [] for account in world.accounts}
        by_round: list[list[tuple[bytes, Claim]]] = [[] for _ in world.parents]
        for claim_id, claim in state.claims.items():
            claims[claim.owner].append((claim_id, claim))
            by_round[world.ends[world.index[claim.node]].round].append((claim_id, claim))
        for number, parent in enumerate(world.parents):
            asked = state.rounds.get(parent)
            if asked is None:
                out.append(MISSING)
            else:
                self._compute_ages(board, number, by_round[number], ages)
                self._write_round(board, number, asked, ages, out)
        opened = 0
        for node, bit in self.hidden_bits:
            if node in board.lists:
                opened |= bit
        out.append(opened)
        matches = self._find_matches(board)
        blobs = [
            bytes(self._write_account(board, account, claims[account], matches, ages))
            for account in world.accounts
        ]
        if self.exact:  # a sound ledger has no excess
            out.append((state.balance - self._compute_owed(state)) // REFUND + 128)
        return bytes(out) + blobs[0] + b"".join(self.sort(blobs[1:]))

    def sort(self, blobs: list[bytes]) -> list[bytes]:
        """Adversaries are alike: which is which does not matter, unless a plan on its way names one."""
        return blobs if self.world.config.front_run else sorted(blobs)

    def _retire_copies(self, board: Board) -> None:
        """An adversary's only claim beside ours on the true end of the last round can do nothing any more."""
        state, world = board.state, self.world
        number = world.config.rounds - 1
        true = world.ends[world.round_ends[number][0]]
        ours = state.claims.get(self.claim_ids[true.index, HONEST])
        if ours is None or ours.status is not Status.LIVE or not self.is_open[number]:
            return
        standing: dict[bytes, list[bytes]] = {}
        for claim_id, claim in state.claims.items():
            place = world.ends[world.index[claim.node]].round
            if claim.status is Status.LIVE and self.is_open[place]:
                standing.setdefault(claim.owner, []).append(claim_id)
        for account, claim_ids in standing.items():
            claim = state.claims[claim_ids[0]]
            if account != HONEST and len(claim_ids) == 1 and claim.node == true.id:
                claim.status = Status.DEAD
                state.nodes[true.id].live -= 1
                staker = state.stakers[account]
                state.balance -= staker.bond
                staker.bond, staker.out = 0, True

    def _compute_ages(
        self, board: Board, number: int, claims: list[tuple[bytes, Claim]], ages: dict[bytes, int]
    ) -> None:
        state, now, world = board.state, board.now, self.world
        nodes = {
            world.ends[i].id: state.nodes[world.ends[i].id]
            for i in world.round_ends[number]
            if world.ends[i].id in state.nodes
        }
        if self.exact:
            ages.update((i, min(now - node.born, self.reach)) for i, node in nodes.items())
            ages.update((i, min(now - c.revealed_at, self.reach)) for i, c in claims if c.revealed_at)
            return
        # One tick more than the rules can tell apart: a bug that is one tick off still shows.
        reach = world.parameters.challenge_period + 1
        living = {i: node for i, node in nodes.items() if node.live}
        times: dict[bytes, int] = {i: node.born for i, node in living.items()}
        for claim_id, claim in claims:
            if not claim.revealed_at or claim.status is not Status.LIVE:
                continue
            rivals = [node.born for i, node in living.items() if i != claim.node]
            # Without a rival: any later rival is born later, and charges nothing.
            low, high = (min(rivals), max(rivals) + reach) if rivals else (now, now)
            times[claim_id] = max(low, min(claim.revealed_at, high))
        age, last, compressed = 0, now, {now: 0}
        for time in sorted(set(times.values()), reverse=True):
            age += min(last - time, reach)
            compressed[time] = age
            last = time
        ages.update((i, compressed[time]) for i, time in times.items())

    def _write_round(
        self, board: Board, number: int, asked: Round, ages: Mapping[bytes, int], out: list[int]
    ) -> None:
        state, world = board.state, self.world
        confirmed = 0 if asked.confirmed == ZERO else world.index[asked.confirmed] + 1
        out.append(confirmed)
        if confirmed and not self.exact:
            return
        out += (board.held[number], board.quiet[number], asked.live_ends + 1)
        if self.exact:
            incumbent = 0 if asked.incumbent == ZERO else world.index[asked.incumbent] + 1
            created = state.nodes[world.parents[number]].created_at
            times = (asked.rival_at, asked.until, created)
            out += (incumbent, *(self._pack_time(time, board.now) for time in times))
        elif asked.live_ends > 1:
            period = world.parameters.challenge_period
            out += (
                world.index[asked.incumbent] + 1,
                max(0, asked.rival_at + period - board.now),
                max(0, asked.until - board.now),
            )
        decided = 0
        if asked.decided_at:
            age = board.now - asked.decided_at
            if self.exact or age < world.parameters.grace:
                decided = min(age, self.reach) + 1
        out += (decided, self.masks[number][asked.xor_live])
        for index in world.round_ends[number]:
            end = world.ends[index]
            node = state.nodes.get(end.id)
            if node is None or not (node.live or end.is_true or self.money):
                out.append(MISSING)
            else:
                out += (node.live, ages.get(end.id, 0))

    def _pack_time(self, time: int, now: int) -> int:
        """A time near now as one byte; 0 stays 0."""
        return max(1, MIDDLE + min(now - time, self.reach)) if time else 0

    def _list_subsets(self, ends: list[int]) -> dict[bytes, int]:
        """The xor of the ids of every set of ends, with the set as bits."""
        masks = {}
        for mask in range(1 << len(ends)):
            together = ZERO
            for position, index in enumerate(ends):
                if mask >> position & 1:
                    together = self.world.unite(together, self.world.ends[index].id)
            masks[together] = mask
        return masks

    def _find_matches(self, board: Board) -> dict[bytes, tuple[Match, bytes]]:
        """Matches against the honest player, by the claim of the other side."""
        found = {}
        claims = board.state.claims
        for match_id, match in board.state.matches.items():
            left, right = match.claims
            found[right if claims[left].owner == HONEST else left] = (match, match_id)
        return found

    def _write_account(
        self,
        board: Board,
        account: bytes,
        claims: list[tuple[bytes, Claim]],
        matches: Mapping[bytes, tuple[Match, bytes]],
        ages: Mapping[bytes, int],
    ) -> list[int]:
        world = self.world
        staker = board.state.stakers.get(account)
        if staker is None:
            return [0, 0, 0, 0]
        last = 0
        if staker.last_claim != ZERO and (self.exact or not staker.out):
            last = world.index[board.state.claims[staker.last_claim].node] + 1
        out = [int(staker.bond > 0), int(staker.out), last, 0]
        for claim_id, claim in claims:
            index = world.index[claim.node]
            closed = not self.exact and not self.is_open[world.ends[index].round]
            money = self.money and (claim.credit or claim.pot or matches.get(claim_id, (None,))[0])
            needless = claim.status is Status.DEAD or (closed and index + 1 != last)
            if needless and not self.exact and not money:
                continue
            out[3] += 1
            reveal = ages.get(claim_id, 0) + 1 if claim.revealed_at and not closed else 0
            if claim.status is Status.DEAD and not self.exact:
                reveal = 0
            out += (index, claim.status, reveal)
            if self.money:
                out += (claim.credit // REFUND, claim.pot // REFUND)
            self._write_match(board, claim_id, matches, out)
        return out

    def _write_match(
        self, board: Board, claim_id: bytes, matches: Mapping[bytes, tuple[Match, bytes]], out: list[int]
    ) -> None:
        match, match_id = matches.get(claim_id, (None, b""))
        if match is None:
            out.append(MISSING)
            return
        honest = SIDES[match.claims[1] != claim_id]
        is_void = any(not self._is_live(board.state, each) for each in match.claims)
        if is_void and not self.exact:
            out.append(VOID if self.money else MISSING)
        else:
            spot = self.number_spot(match, honest, board.disputed.get(match_id, -1))
            age = min(board.now - match.last, self.reach)
            mine, other = match.clocks[match.turn], match.clocks[match.turn.other]
            out += (spot, mine, other, age) if self.exact else (spot, max(0, mine - age), max(0, other))
        if self.money:
            out += (match.moves[honest], match.moves[honest.other])

    def _is_live(self, state: State, claim_id: bytes) -> bool:
        claim = state.claims[claim_id]
        is_standing = claim.status is Status.LIVE and not state.stakers[claim.owner].out
        return is_standing and self.is_open[self.world.ends[self.world.index[claim.node]].round]

    def number_spot(self, match: Match, honest: Side, disputed: int) -> int:
        place = match.position
        nodes = (place.nodes[honest], place.nodes[1 - honest])
        where = (place.round, nodes, place.prev, place.batch, place.rest)
        turn = match.turn is honest
        spot = (*where, match.start, match.height, match.stage, turn, disputed)
        number = self.spot_numbers.setdefault(spot, len(self.spots))
        if number == len(self.spots):
            assert number < VOID
            self.spots.append(Spot(*where, match.start, match.height, match.stage, turn, disputed))
        return number

    def _compute_owed(self, state: State) -> int:
        owed = sum(staker.bond for staker in state.stakers.values() if not staker.out)
        return owed + sum(claim.credit + claim.pot for claim in state.claims.values())

    # ---------------------------------------------------------------------------------------------- reading

    def decode(self, key: Key, protocol: Protocol) -> Board:
        """A state with this key, at second `NOW`."""
        world = self.world
        state = State()
        state.batches = world.truth.batches
        reader = iter(key)
        phase, censored = next(reader), next(reader)
        pending = self.plans[next(reader) * 256 + next(reader)] if world.config.front_run else ()
        held, quiet = [], []
        state.nodes[GENESIS_ASSERTION] = Node(ZERO, GENESIS_LEAF, 0, 0, 0)
        for number in range(world.config.rounds):
            times = self._read_round(state, number, reader)
            held.append(times[0])
            quiet.append(times[1])
        opened = next(reader)
        excess = next(reader) - 128 if self.exact else 0
        board = Board(world, protocol, state, NOW)
        board.phase, board.censored, board.held, board.quiet = phase, censored, held, quiet
        board.pending = pending
        for account in world.accounts:
            self._read_account(board, account, reader)
        board.lists = dict(self._get_lists(opened))
        state.balance = self._compute_owed(state) + excess * REFUND
        return board

    def _read_round(self, state: State, number: int, reader: Iterator[int]) -> tuple[int, int]:
        world = self.world
        confirmed = next(reader)
        if confirmed == MISSING:
            return 0, 0
        asked = Round(to=number + 1, full=number + 1 < state.batch_count)
        state.rounds[world.parents[number]] = asked
        if confirmed:
            asked.confirmed = world.ends[confirmed - 1].id
            if not self.exact:
                self._put_node(state, confirmed - 1, 1, 0)
                return 0, 0
        held, quiet, asked.live_ends = next(reader), next(reader), next(reader) - 1
        if self.exact or asked.live_ends > 1:
            incumbent, rival_at, until = next(reader), next(reader), next(reader)
            asked.incumbent = world.ends[incumbent - 1].id if incumbent else ZERO
            if self.exact:
                asked.rival_at, asked.until = _unpack_time(rival_at), _unpack_time(until)
                state.nodes[world.parents[number]].created_at = _unpack_time(next(reader))
            else:
                asked.rival_at, asked.until = NOW + rival_at - world.config.period, NOW + until
        decided = next(reader)
        asked.decided_at = NOW + 1 - decided if decided else 0
        asked.xor_live = self.unions[number][next(reader)]
        for index in world.round_ends[number]:
            live = next(reader)
            if live != MISSING:
                self._put_node(state, index, live, next(reader))
        return held, quiet

    def _put_node(self, state: State, index: int, live: int, age: int) -> None:
        end = self.world.ends[index]
        leaf = self.leaves[index]
        batch = end.round + 1
        state.nodes[end.id] = Node(self.world.parents[end.round], leaf, batch, 0, NOW - age, live)
        state.rounds[end.id] = Round(to=batch + 1, full=batch + 1 < state.batch_count)

    def _read_account(self, board: Board, account: bytes, reader: Iterator[int]) -> None:
        """The account's claims, and its matches with the honest player, whose claims have been read."""
        bond, out, last, count = next(reader), next(reader), next(reader), next(reader)
        state = board.state
        if bond or out or last or account != HONEST:
            lasting = self.claim_ids[last - 1, account] if last else ZERO
            state.stakers[account] = Staker(bond * self.world.parameters.bond, lasting, bool(out))
        for _ in range(count):
            index, status, reveal = next(reader), next(reader), next(reader)
            if self.world.ends[index].id not in state.nodes:  # an end that died before its round was decided
                self._put_node(state, index, 0, 0)
            claim = Claim(self.world.ends[index].id, account, NOBODY, status=STATUSES[status])
            if reveal:
                claim.revealed_at = NOW + 1 - reveal
                claim.top = self.history_roots[index]
            if self.money:
                claim.credit, claim.pot = next(reader) * REFUND, next(reader) * REFUND
            claim_id = self.claim_ids[index, account]
            state.claims[claim_id] = claim
            self._read_match(board, index, claim_id, reader)

    def _read_match(self, board: Board, index: int, claim_id: bytes, reader: Iterator[int]) -> None:
        number = next(reader)
        if number == MISSING:
            return
        world = self.world
        honest_id = self.claim_ids[world.round_ends[world.ends[index].round][0], HONEST]
        claims = (honest_id, claim_id) if honest_id < claim_id else (claim_id, honest_id)
        honest = SIDES[claims[1] == honest_id]
        match_id = self.match_ids[claims]
        if number == VOID:
            place = Position(ZERO, (ZERO, ZERO), ZERO)
            match = Match(claims, place, 0, 0, Stage.INPUTS, Side.A, NOW, (0, 0))
        else:
            spot, mine, other = self.spots[number], next(reader), next(reader)
            turn = honest if spot.is_honest_turn else honest.other
            nodes = spot.nodes[::-1] if honest else spot.nodes
            place = Position(spot.round, nodes, spot.prev, spot.batch, spot.rest)
            clocks = (other, mine) if turn else (mine, other)
            last = NOW - next(reader) if self.exact else NOW
            match = Match(claims, place, spot.start, spot.height, spot.stage, turn, last, clocks)
            if spot.disputed >= 0:
                board.disputed[match_id] = spot.disputed
        if self.money:
            moves = (next(reader), next(reader))
            match.moves = moves[::-1] if honest else moves
        board.state.matches[match_id] = match

    def _get_lists(self, opened: int) -> Mapping[bytes, Words]:
        """What has been opened, for a set of hidden lists as bits."""
        if opened not in self.opened:
            world = self.world
            lists = dict(world.tops)
            lists.update(
                (node, world.hidden_words[node]) for i, node in enumerate(world.hidden) if opened >> i & 1
            )
            self.opened[opened] = lists
        return self.opened[opened]


def _unpack_time(packed: int) -> int:
    return NOW + MIDDLE - packed if packed else 0
