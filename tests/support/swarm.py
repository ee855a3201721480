"""A swarm of Sybils: many keys, each with a bond and a false claim, all against one honest claim.

They know everything and are patient: they answer in the very next block, all in the same one, and spend what
is left of their clocks before the last move that decides. What they say is cheap to make: true up to one step
of one input, and false by a constant from there on, so that every match goes down to its last step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from eth_account import Account

from challenger.calls import compute_call
from challenger.chain.reading import Game
from challenger.game.clock import is_in_time
from challenger.game.dispute import Opening
from challenger.game.lists import History
from challenger.game.types import Stage
from challenger.settings import get_parameters
from challenger.strategy.acts import Act, AssertState, Prove, ProvePadding, Reveal, Stake
from challenger.strategy.moves import compute_move
from challenger.strategy.view import Facts, View
from challenger.trace.law import LawProvider
from devnet.network import Devnet
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.derive.commitments import compute_assertion_id, compute_claim_id, compute_leaf
from optimist.l1.client import L1Client
from optimist.l1.signer import Signer
from optimist.l1.types import to_hex
from optimist.node.node import Node
from optimist.vm.state import compute_final_state
from optimist.vm.walker import add_to_hash
from tests.support.ringside import Town

FUNDS: Final = 1_000 * 10**18  # wei of each Sybil
GAS: Final = 400_000  # limit of each of their transactions
STEP: Final = 100  # from which a trace is false
LAST_HEIGHTS: Final = 3  # at the heights 2 and 3 of the steps a side is on turn for the last time
TIP: Final = 2 * 10**9  # wei: they outbid the honest player in every block
MAX_FEE: Final = 500 * 10**9


class Manner(Enum):
    """How a Sybil plays."""

    LAST = "to the last step"
    FROZEN = "reveals, never moves"
    MUTE = "never reveals"


class Lies(Enum):
    """Whether all Sybils stand on one end."""

    SAME = "one lie"
    APART = "all different lies"


class Shifted:
    """A `TraceProvider`: the truth up to one step of one input, false by `delta` from there on."""

    def __init__(self, truth: LawProvider, since: int, position: int, step: int, delta: int) -> None:
        """The range begins after batch `since`; `position` counts its inputs. Serves this one dispute."""
        self.truth = truth
        self.since = since
        self.position = position
        self.step = step
        self.delta = delta
        self._kept: dict[str, History] = {}

    def get_end_root(self, batch: int) -> bytes | None:
        """See `TraceProvider`."""
        root = self.truth.get_end_root(batch)
        source = self.truth.source
        reach = source.get_input_count(batch) - source.get_input_count(self.since) if root else 0
        return root if root is None or reach <= self.position else add_to_hash(root, self.delta)

    def get_history(self, start: int, to: int) -> History:
        """See `TraceProvider`."""
        if "inputs" in self._kept:
            return self._kept["inputs"]
        replay = self.truth.get_replay(start, to)
        true = self.truth.get_history(start, to)
        ends = list(true.ends[: self.position])
        for applied in replay.applied[self.position : len(true.ends)]:
            root = add_to_hash(applied.root, self.delta)
            ends.append(compute_leaf(root, applied.batch, applied.opening.next_rest))
        self._kept["inputs"] = History(true.arity, true.height, ends)
        return self._kept["inputs"]

    def get_opening(self, start: int, position: int) -> Opening:
        """See `TraceProvider`."""
        return self.truth.get_opening(start, position)

    def get_root_after(self, start: int, position: int) -> bytes:
        """See `TraceProvider`."""
        return add_to_hash(self.truth.get_root_after(start, position), self.delta)

    def get_trace(self, start: int, position: int) -> History:
        """See `TraceProvider`."""
        if "steps" in self._kept:
            return self._kept["steps"]
        true = self.truth.get_trace(start, position)
        step = min(self.step, len(true.ends) - 1)
        ends = [*true.ends[:step], *(add_to_hash(each, self.delta) for each in true.ends[step:-1])]
        final = compute_final_state(self.get_root_after(start, position))
        self._kept["steps"] = History(true.arity, true.height, [*ends, final])
        return self._kept["steps"]

    def get_step_proof(self, start: int, position: int, step: int) -> bytes:
        """Nobody asks: a Sybil does not call the referee."""
        raise NotImplementedError


@dataclass(slots=True)
class Sybil:
    """One key of the swarm, and what it says."""

    signer: Signer
    secret: bytes
    provider: Shifted
    claim: bytes
    nonce: int = 0
    done: set[str] = field(default_factory=set)


class Swarm:
    """All Sybils, played from one look at L1."""

    def __init__(
        self, network: Devnet, client: L1Client, town: Town, sybils: Sequence[Sybil], manner: Manner
    ) -> None:
        self.sybils = sybils
        self._client = client
        self._town = town
        self._manner = manner
        self._chain_id = network.deployment.chain_id
        self._parameters = get_parameters(network.deployment.preset)
        self._contracts = {name: network.get_contract(name) for name in ("Rollup", "Dispute")}

    async def act(self, game: Game, now: int, slot: int) -> int:
        """Send what every Sybil does in the next block, `slot` seconds after `now`; how many transactions."""
        facts = Facts(self._parameters, game.state, now, game.lists, game.disputed)
        raw = [
            self._sign(sybil, act)
            for sybil in self.sybils
            for act in self._find_acts(sybil, facts, now + slot, now + 2 * slot)
        ]
        await self._client.batch([("eth_sendRawTransaction", (to_hex(each),)) for each in raw])
        return len(raw)

    def _find_acts(self, sybil: Sybil, facts: Facts, next_block: int, block_after: int) -> Iterator[Act]:
        state, town = facts.state, self._town
        claim = state.claims.get(sybil.claim)
        if claim is None:
            if not sybil.nonce:
                root = sybil.provider.get_end_root(town.to)
                yield Stake()
                yield AssertState(town.parent, root or ZERO, town.to, state.batches[town.to].accumulator)
            return
        if self._manner is Manner.MUTE:
            return
        if not claim.revealed_at and state.rounds[town.parent].live_ends > 1 and "reveal" not in sybil.done:
            sybil.done.add("reveal")
            history = sybil.provider.get_history(state.nodes[town.parent].batch, town.to)
            yield Reveal(sybil.claim, history.words(history.height, 0))
        if self._manner is Manner.FROZEN:
            return
        view = View(facts, sybil.provider, sybil.signer.address)
        for duel in view.duels:
            match = duel.match
            move = f"{duel.id.hex()}:{match.stage}:{match.height}"
            if not duel.is_ours or not duel.is_our_turn or move in sybil.done:
                continue
            is_last = match.stage is Stage.STEPS and match.height <= LAST_HEIGHTS
            if is_last and is_in_time(block_after, match.last, match.clocks[match.turn]):
                continue  # there is time left to waste
            if is_in_time(next_block, match.last, match.clocks[match.turn]):
                act = compute_move(view, duel)
                if act is not None and not isinstance(act, Prove | ProvePadding):
                    sybil.done.add(move)
                    yield act

    def _sign(self, sybil: Sybil, act: Act) -> bytes:
        call = compute_call(act, self._parameters.bond)
        contract = self._contracts[call.contract]
        fields = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": sybil.nonce,
            "to": contract.address,
            "value": call.value,
            "data": contract.encode(call.function, *call.arguments),
            "gas": GAS,
            "maxFeePerGas": MAX_FEE,
            "maxPriorityFeePerGas": TIP,
        }
        sybil.nonce += 1
        return bytes(Account.sign_transaction(fields, sybil.secret).raw_transaction)


def make_swarm(
    network: Devnet, client: L1Client, town: Town, node: Node, count: int, manner: Manner, lies: Lies
) -> Swarm:
    """`count` Sybils with money. `node` has seen the town; different lies are about different inputs."""
    parameters = get_parameters(network.deployment.preset)
    truth = LawProvider(parameters, node.ledger, network.law)
    truth.get_history(
        town.since, town.to
    )  # now: the law runs once at a time in a process, the player will too
    inputs = node.ledger.get_input_count(town.to) - node.ledger.get_input_count(town.since)
    common = Shifted(truth, town.since, inputs - 1, STEP, 1)
    sybils = []
    for number in range(count):
        secret = keccak(f"sybil {number}".encode())
        signer = Signer(secret)
        network.anvil.set_balance(to_hex(signer.address), FUNDS)
        provider = common
        if lies is Lies.APART:
            provider = Shifted(truth, town.since, inputs - 1 - number, STEP + number, number + 1)
        end = compute_leaf(provider.get_end_root(town.to) or ZERO, town.to, ZERO)
        claim = compute_claim_id(compute_assertion_id(town.parent, end), signer.address)
        sybils.append(Sybil(signer, secret, provider, claim))
    return Swarm(network, client, town, sybils, manner)
