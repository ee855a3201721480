"""The game without a chain: the pure twin judges, and the arena remembers what L1 would emit."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from challenger.game.dispute import Dispute, Machine
from challenger.game.lists import Words, compute_list_hash
from challenger.game.rollup import Rollup
from challenger.game.types import Batch, Parameters, Revert, State, Status
from challenger.strategy import acts
from challenger.strategy.modes import DEFEND, Mode
from challenger.strategy.strategy import Plan, compute_plan
from challenger.strategy.view import Facts
from challenger.trace.provider import TraceProvider
from optimist.derive.commitments import GENESIS_ASSERTION, compute_match_id

BASE_FEE = 30 * 10**9


def address(number: int) -> bytes:
    """A player's address."""
    return number.to_bytes(20, "big")


class Arena:
    """One deployment, its time, and everything that was ever emitted."""

    def __init__(
        self, parameters: Parameters, machine: Machine, batches: Iterable[Batch], now: int = 0
    ) -> None:
        self.parameters = parameters
        self.now = now
        self.state = State()
        self.state.batches = list(batches)
        self.rollup = Rollup(parameters, self.state, now)
        self.dispute = Dispute(self.rollup, machine)
        self.lists: dict[bytes, Words] = {}
        self.disputed: dict[bytes, int] = {}
        self.base_fee = BASE_FEE
        self.paid_in = 0
        self.paid_out = 0
        self.log: list[tuple[int, bytes, acts.Act, str]] = []

    @property
    def facts(self) -> Facts:
        """What L1 says now."""
        return Facts(self.parameters, self.state, self.now, self.lists, self.disputed)

    def plan(
        self,
        player: bytes,
        provider: TraceProvider,
        mode: Mode = DEFEND,
        *,
        owners: AbstractSet[bytes] = frozenset(),
        latency: int = 0,
    ) -> Plan:
        """What a player who believes `provider`, and has agreed to operate for `owners`, wants to do.

        latency: seconds that it takes an act for; here, where nothing says otherwise, all land at once.
        """
        facts = replace(self.facts, latency=latency)
        return compute_plan(facts, provider, player, mode, owners=owners)

    def look_and_act(
        self, player: bytes, provider: TraceProvider, *, owners: AbstractSet[bytes] = frozenset()
    ) -> int:
        """One look of a player: everything its plan says, in order; returns how many acts landed."""
        return sum(self.play(player, act) == "" for act in self.plan(player, provider, owners=owners).acts)

    def claim(self, owner: bytes, provider: TraceProvider, parent: bytes = GENESIS_ASSERTION) -> bytes:
        """Stand on what a provider believes of a round, with a bond; the claim's id."""
        asked = self.state.rounds[parent]
        root = provider.get_end_root(asked.to)
        assert root is not None
        self.play(owner, acts.Stake())
        accumulator = self.state.batches[asked.to].accumulator
        assert self.play(owner, acts.AssertState(parent, root, asked.to, accumulator)) == ""
        return self.state.stakers[owner].last_claim

    def play(self, sender: bytes, act: acts.Act) -> str:
        """Send one act; the name of the custom error, or nothing when it landed."""
        try:
            self._apply(sender, act)
        except Revert as revert:
            self.log.append((self.now, sender, act, revert.name))
            return revert.name
        self.log.append((self.now, sender, act, ""))
        return ""

    def _apply(self, sender: bytes, act: acts.Act) -> None:  # noqa: C901, PLR0912 - one arm per function
        rollup, dispute, now = self.rollup, self.dispute, self.now
        match act:
            case acts.Stake():
                rollup.stake(sender, self.parameters.bond)
                self.paid_in += self.parameters.bond
            case acts.Withdraw():
                rollup.withdraw(sender)
                self.paid_out += self.parameters.bond
            case acts.SetOperator(claim, operator):
                rollup.set_operator(sender, claim, operator)
            case acts.AssertState(parent, end_root, to, accumulator):
                rollup.assert_state(sender, now, parent, end_root, to, accumulator)
            case acts.Reveal(claim, words):
                rollup.reveal(sender, now, claim, words)
                self._emit(words)
            case acts.TimeoutReveal(claim, rival):
                rollup.timeout_reveal(now, claim, rival)
            case acts.OpenMatch(left, right, first):
                dispute.open_match(now, left, right, first)
            case acts.Dissect(fork, following):
                dispute.dissect(now, fork, following)
                self._emit(following)
            case acts.CommitTrace(fork, opening, next_root, trace):
                dispute.commit_trace(sender, now, fork, opening, next_root, trace)
                match_id = compute_match_id(*fork.claims)
                self.disputed[match_id] = self.state.matches[match_id].start
                self._emit(trace)
            case acts.CommitSecondTrace(claims, position, next_root, trace):
                dispute.commit_second_trace(sender, now, claims, position, next_root, trace)
                self._emit(trace)
            case acts.ProvePadding(fork):
                dispute.prove_padding(now, fork)
            case acts.Prove(fork, proof):
                dispute.prove(now, fork, proof)
            case acts.Timeout(claims):
                dispute.timeout(now, claims)
            case acts.Prune(claim):
                rollup.prune(now, claim)
            case acts.Confirm(node):
                rollup.confirm(now, node)
            case acts.Collect(claim, opponent):
                dispute.collect(sender, claim, opponent, self.base_fee)
            case acts.ClaimCredit(claim):
                self.paid_out += rollup.claim_credit(claim)

    def _emit(self, words: Words) -> None:
        self.lists[compute_list_hash(words, self.parameters.arity)] = tuple(words)

    # ----------------------------------------------------------------------------------------- what must hold

    def check_ledger(self) -> None:
        """Every wei is accounted for, and counters are what they count."""
        state = self.state
        bonds = sum(staker.bond for staker in state.stakers.values())
        assert state.balance == bonds + sum(claim.credit + claim.pot for claim in state.claims.values())
        assert state.balance + state.burnt + self.paid_out == self.paid_in
        for round_id, asked in state.rounds.items():
            living = [i for i, node in state.nodes.items() if node.parent == round_id and node.live > 0]
            assert asked.live_ends == len(living)
            together = 0
            for node_id in living:
                together ^= int.from_bytes(node_id, "big")
            assert asked.xor_live == together.to_bytes(32, "big")
        for node_id, node in state.nodes.items():
            claims = [c for c in state.claims.values() if c.node == node_id and c.status is Status.LIVE]
            assert node.live == len(claims)

    def get_confirmed(self) -> set[bytes]:
        """Ids of all confirmed nodes but genesis."""
        return {asked.confirmed for asked in self.state.rounds.values()} - {bytes(32)}
