"""One state of the exploration: what L1 stores, and the little that the model remembers beside it."""

from challenger.game.lists import Words
from challenger.game.types import Claim, Match, Node, Round, Staker, State, Status
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES
from optimist.base.merkle import ZERO
from tests.model.world import HONEST, NOW, World
from tests.support.arena import BASE_FEE, Arena
from tests.support.twin_source import SHIPPED, Protocol

BEFORE = 0  # phase of a tick: the honest player has still to look
AFTER = 1  # it has looked, or was censored


class Board(Arena):
    """An arena whose judge may carry a planted bug, with the adversary's budget and two stop watches."""

    def __init__(self, world: World, protocol: Protocol, state: State, now: int) -> None:
        self.world = world
        self.protocol = protocol
        self.parameters = world.parameters
        self.now = now
        self.state = state
        self.rollup = protocol.rollup(world.parameters, state, now)
        self.dispute = protocol.dispute(self.rollup, MACHINE_RULES)
        self.lists: dict[bytes, Words] = {}
        self.disputed: dict[bytes, int] = {}
        self.base_fee = BASE_FEE
        self.paid_in = self.paid_out = 0
        self.log = []
        self.phase = BEFORE
        self.pending: tuple[acts.Act, ...] = ()  # planned by the honest player, and not yet on L1
        self.censored = world.config.censored  # ticks that the adversary may still censor
        self.held = [0] * world.config.rounds  # ticks since the honest player holds the true end, by round
        self.delay = 0  # ticks after the honest claim at which a false one was last seen alive; in no key
        self.quiet = [0] * world.config.rounds  # … with no false end alive and the parent confirmed

    def play(self, sender: bytes, act: acts.Act) -> str:
        """As an arena; where a planted bug looks up what does not exist, L1 would read zeros and refuse."""
        try:
            return super().play(sender, act)
        except KeyError:
            if self.protocol is SHIPPED:
                raise
            return "Nothing"


def clone(board: Board) -> Board:
    """A state of its own. What no act changes (batches, rounds below a false end, lists) is shared."""
    old, state = board.state, State()
    state.batches = old.batches
    state.nodes = {
        i: Node(n.parent, n.end, n.batch, n.created_at, n.born, n.live) for i, n in old.nodes.items()
    }
    state.rounds = old.rounds.copy()
    for parent in board.world.parents:
        if (r := old.rounds.get(parent)) is not None:
            state.rounds[parent] = Round(
                r.to,
                r.full,
                r.live_ends,
                r.xor_live,
                r.incumbent,
                r.rival_at,
                r.until,
                r.confirmed,
                r.decided_at,
            )
    state.claims = {
        i: Claim(c.node, c.owner, c.operator, c.top, c.revealed_at, c.status, c.credit, c.pot)
        for i, c in old.claims.items()
    }
    state.matches = {
        i: Match(m.claims, m.position, m.start, m.height, m.stage, m.turn, m.last, m.clocks, m.moves)
        for i, m in old.matches.items()
    }
    state.stakers = {a: Staker(s.bond, s.last_claim, s.out) for a, s in old.stakers.items()}
    state.balance, state.burnt = old.balance, old.burnt
    copy = Board(board.world, board.protocol, state, board.now)
    copy.lists = board.lists.copy()
    copy.disputed = board.disputed.copy()
    copy.phase, copy.censored, copy.pending = board.phase, board.censored, board.pending
    copy.held, copy.quiet = board.held.copy(), board.quiet.copy()
    return copy


def make_first_board(world: World, protocol: Protocol) -> Board:
    """Nothing is claimed. The adversaries have staked; the honest player has not."""
    state = State()
    state.batches = list(world.truth.batches)
    board = Board(world, protocol, state, NOW)
    for account in world.accounts[1:]:
        board.rollup.stake(account, world.parameters.bond)
    board.lists = dict(world.tops)
    return board


def find_violation(board: Board, ignored: frozenset[str] = frozenset()) -> str:
    """What must never be, in words; empty when all is well. `ignored`: names of checks left out."""
    for name, check in CHECKS.items():
        if name not in ignored and (found := check(board)):
            return f"{name}: {found}"
    return ""


def _find_lost_bond(board: Board) -> str:
    staker = board.state.stakers.get(HONEST)
    return "the honest player is eliminated" if staker is not None and staker.out else ""


def _find_false_root(board: Board) -> str:
    for end in board.world.ends:
        asked = board.state.rounds.get(board.world.parents[end.round])
        if asked is not None and asked.confirmed == end.id and not end.is_true:
            return f"the false end {end.name} is confirmed"
    return ""


def _find_debt(board: Board) -> str:
    state, owed = board.state, 0
    for staker in state.stakers.values():
        if not staker.out:
            owed += staker.bond
    for claim in state.claims.values():
        owed += claim.credit + claim.pot
    return "" if state.balance == owed else f"{state.balance} wei are there, {owed} are owed"


def _find_false_counter(board: Board) -> str:
    state, world = board.state, board.world
    living = dict.fromkeys(state.nodes, 0)
    for claim in state.claims.values():
        if claim.status is Status.LIVE:
            living[claim.node] += 1
    for number, parent in enumerate(world.parents):
        asked = state.rounds.get(parent)
        if asked is None or asked.confirmed in world.index:
            continue  # decided: its counters are never read again
        ends, together = 0, ZERO
        for index in world.round_ends[number]:
            end = world.ends[index]
            node = state.nodes.get(end.id)
            if node is None:
                continue
            if node.live != living[end.id]:
                return f"{end.name} counts {node.live} live claims, not {living[end.id]}"
            if node.live:
                ends += 1
                together = world.unite(together, end.id)
        if asked.live_ends != ends or asked.xor_live != together:
            return f"round {number + 1} counts {asked.live_ends} live ends, not {ends}"
    return ""


def _find_split_bond(board: Board) -> str:
    """One bond, one branch: nobody may stand on two ends of one round."""
    seen = set()
    for claim in board.state.claims.values():
        if claim.status is Status.LIVE:
            place = (claim.owner, board.state.nodes[claim.node].parent)
            if place in seen:
                return f"{board.world.name_of(claim.owner)} stands twice in one round with one bond"
            seen.add(place)
    return ""


def _find_overdue(board: Board) -> str:
    """The time bound, and that nothing is stuck."""
    config, world = board.world.config, board.world
    for number in range(config.rounds):
        if board.held[number] > config.bound:
            for claim in board.state.claims.values():
                end = world.ends[world.index[claim.node]]
                if end.round == number and not end.is_true and claim.status is Status.LIVE:
                    return f"a claim on {end.name} lives {board.held[number]} ticks after the honest claim"
        if board.quiet[number] > config.period + config.grace + config.censored + 1:
            return f"round {number + 1} is undisputed for {board.quiet[number]} ticks, and not decided"
    return ""


CHECKS = {
    "lost bond": _find_lost_bond,
    "false root": _find_false_root,
    "ledger": _find_debt,
    "counters": _find_false_counter,
    "one bond": _find_split_bond,
    "overdue": _find_overdue,
}


def tick(board: Board) -> None:
    """One tick later, before the next look. The stop watches go on."""
    state, world = board.state, board.world
    for number, parent in enumerate(world.parents):
        asked = state.rounds.get(parent)
        if asked is None or not board.rollup.is_open(parent):
            board.held[number] = board.quiet[number] = 0
            continue
        falsehood = honest = False
        for claim in state.claims.values():
            end = world.ends[world.index[claim.node]]
            if end.round == number and claim.status is Status.LIVE:
                falsehood |= not end.is_true
                honest |= end.is_true and claim.owner == HONEST
        # Past the bound all counts are alike.
        board.held[number] = min(board.held[number] + 1, world.config.bound + 1) if honest else 0
        if honest and falsehood:
            board.delay = max(board.delay, board.held[number])
        calm = honest and not falsehood and board.rollup.is_confirmed(parent)
        board.quiet[number] = board.quiet[number] + 1 if calm else 0
    board.now += 1
    board.phase = BEFORE
