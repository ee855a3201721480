"""A lie and its end, from L1 alone: what was claimed, where it differed from the law, which step decided.

A lie is an assertion below a true one that does not say what the law says. Its round holds everything: rival
claims, their histories, matches, the proof, the death, and the confirmation of the truth.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from devnet.evidence.calldata import SentTransaction, decode_arguments, read_inner_gas, read_transactions
from devnet.evidence.inputs import name_kind
from devnet.history import RollupHistory
from optimist.base.merkle import ZERO
from optimist.base.tags import MACHINE
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf
from optimist.l1.client import L1Client
from optimist.l1.events import (
    Claimed,
    Confirmed,
    Dissected,
    Eliminated,
    Located,
    MatchOpened,
    NodeCreated,
    Proven,
    Revealed,
    TraceCommitted,
)
from optimist.l1.types import to_hex
from optimist.provable.compiled import CompiledProgram
from optimist.vm.isa import Op
from optimist.vm.state import MACHINE_BYTES, Machine

E = TypeVar("E")

# From the opening of a match to its end: what a dispute costs beyond claims that are made without one, too.
MATCH_FUNCTIONS = frozenset(
    f"Dispute.{name}"
    for name in (
        "openMatch",
        "dissect",
        "commitTrace",
        "commitSecondTrace",
        "prove",
        "provePadding",
        "timeout",
    )
)


@dataclass(frozen=True, slots=True)
class Lie:
    """A false assertion `created`, and everything that happened in its round, in order."""

    created: Located
    node: NodeCreated
    true_root: bytes
    true_node: bytes
    claims: Mapping[bytes, Claimed]  # of the whole round
    events: tuple[Located, ...]

    def is_false(self, claim: bytes) -> bool:
        """Whether a claim of the round stands on this lie."""
        return self.claims[claim].node == self.node.node

    def select(self, kind: type[E]) -> list[tuple[E, bytes]]:
        """Events of one kind, each with its transaction."""
        return [
            (located.event, located.log.transaction)
            for located in self.events
            if isinstance(located.event, kind)
        ]


def find_assertions(history: RollupHistory) -> dict[bytes, NodeCreated]:
    """Every assertion by id, in the order of their creation. Genesis, which nobody asserted, is left out."""
    return {
        located.event.node: located.event
        for located in history.events
        if isinstance(located.event, NodeCreated) and located.event.node != GENESIS_ASSERTION
    }


def find_true_nodes(history: RollupHistory) -> dict[bytes, bytes]:
    """Assertions that say what the law says, down from genesis: id -> state root."""
    true = {GENESIS_ASSERTION: ZERO}
    for node in find_assertions(history).values():
        root = history.get_end_root(node.to)
        if node.parent in true and root is not None and node.end == compute_leaf(root, node.to, ZERO):
            true[node.node] = root
    return true


def find_lies(history: RollupHistory) -> list[Lie]:
    """Every lie told about a range that follows a true assertion."""
    true = find_true_nodes(history)
    lies = []
    for located in history.events:
        node = located.event
        if not isinstance(node, NodeCreated) or node.node in true or node.parent not in true:
            continue
        true_root = history.get_end_root(node.to)
        if true_root is None:
            raise LookupError(f"assertion {to_hex(node.node)} is about batch {node.to}, which L1 has not")
        true_node = compute_assertion_id(node.parent, compute_leaf(true_root, node.to, ZERO))
        claims, events = _collect_round(history.events, node.parent)
        lies.append(Lie(located, node, true_root, true_node, claims, tuple(events)))
    return lies


def describe_assertions(history: RollupHistory) -> list[dict[str, Any]]:
    """Every assertion: the batch that it ends with, whether it is true, whether L1 has confirmed it."""
    true = find_true_nodes(history)
    confirmed = {located.event.node for located in history.events if isinstance(located.event, Confirmed)}
    return [
        {
            "node": to_hex(node.node),
            "batch": node.to,
            "root": to_hex(node.end_root),
            "is_true": node.node in true,
            "is_confirmed": node.node in confirmed,
        }
        for node in find_assertions(history).values()
    ]


async def describe_lie(
    client: L1Client, history: RollupHistory, lie: Lie, program: CompiledProgram, step_contract: bytes
) -> dict[str, Any]:
    """Everything about one lie but its fault: only its owner can say that, and anybody can check it."""
    sent = await read_transactions(client, [located.log.transaction for located in lie.events])
    liar = next(claim for claim in lie.claims.values() if lie.is_false(claim.claim))
    born = sent[lie.created.log.transaction].time
    proofs, deaths = lie.select(Proven), _find_deaths(lie)
    answer = _find_answer(lie)
    description: dict[str, Any] = {
        "false_node": to_hex(lie.node.node),
        "liar": to_hex(liar.owner),
        "batches": [lie.node.from_ + 1, lie.node.to],
        "asserted_root": to_hex(lie.node.end_root),
        "true_root": to_hex(lie.true_root),
        "input": _describe_input(history, lie),
        "leaves": _describe_leaves(lie, sent),
        "step": _describe_step(lie, sent, program),
        "dissections": len(lie.select(Dissected)),
        "transactions": [
            {
                "transaction": to_hex(one.hash),
                "function": one.function,
                "sender": to_hex(one.sender),
                "gas": one.gas,
            }
            for one in sent.values()
        ],
        "total_gas": sum(one.gas for one in sent.values()),
        "match_gas": sum(one.gas for one in sent.values() if one.function in MATCH_FUNCTIONS),
        "worst_step_gas": max(
            [await read_inner_gas(client, transaction, step_contract) for _, transaction in proofs],
            default=0,
        ),
        "seconds_to_detection": sent[answer].time - born if answer else None,
        "seconds_to_death": sent[deaths[-1][1]].time - born if deaths else None,
        "outcome": _describe_outcome(lie),
    }
    return description


def _collect_round(events: Iterable[Located], parent: bytes) -> tuple[dict[bytes, Claimed], list[Located]]:
    """Claims and events of the round below `parent`."""
    nodes: set[bytes] = set()
    claims: dict[bytes, Claimed] = {}
    matches: set[bytes] = set()
    found = []
    for located in events:
        match located.event:
            case NodeCreated() as event if event.parent == parent:
                nodes.add(event.node)
            case Claimed() as event if event.node in nodes:
                claims[event.claim] = event
            case MatchOpened() as event if event.a in claims:
                matches.add(event.id)
            case Confirmed() as event if event.parent == parent:
                pass
            case event if getattr(event, "claim", b"") in claims or getattr(event, "id", b"") in matches:
                pass
            case _:
                continue
        found.append(located)
    return claims, found


def _describe_input(history: RollupHistory, lie: Lie) -> dict[str, Any] | None:
    """The first input on which both sides differ; None when no match came that far."""
    commitments = lie.select(TraceCommitted)
    if not commitments:
        return None
    number = history.get_input_count(lie.node.from_) + commitments[0][0].state.start
    batch = next(b for b in range(1, history.batch_count + 1) if history.get_input_count(b) > number)
    applied = history.batches[batch - 1].inputs[number - history.get_input_count(batch - 1)]
    return {
        "number": number,
        "batch": batch,
        "kind": name_kind(applied.data),
        "law_code": applied.code,
        "bytes": to_hex(applied.data),
    }


def _describe_leaves(lie: Lie, sent: Mapping[bytes, SentTransaction]) -> dict[str, Any] | None:
    """The leaves after the disputed input, as the first commitment to a trace had to show them."""
    for _, transaction in lie.select(TraceCommitted):
        arguments = decode_arguments(sent[transaction].data)
        if "fork" in arguments:
            return _split(lie, arguments["fork"])
    return None


def _describe_step(
    lie: Lie, sent: Mapping[bytes, SentTransaction], program: CompiledProgram
) -> dict[str, Any] | None:
    """The machine step that L1 executed, and what either side had claimed to follow from it."""
    proofs = lie.select(Proven)
    if not proofs:
        return None
    proven, transaction = proofs[-1]
    arguments = decode_arguments(sent[transaction].data)
    claimed = _split(lie, arguments["fork"])
    preimage = arguments["proof"][:MACHINE_BYTES]
    pc = Machine.decode(preimage).pc if preimage[0] == MACHINE else None
    is_code = pc is not None and pc < len(program.instructions)
    place = program.source_map[pc] if pc is not None and is_code else None
    return {
        "number": proven.step,
        "pc": pc,
        "opcode": Op(program.instructions[pc].op).name if pc is not None and is_code else None,
        "source": f"{place.file}:{place.line}" if place else None,
        "before": to_hex(proven.pre),
        "after": to_hex(proven.post),
        "true": claimed["true"],
        "false": claimed["false"],
    }


def _split(lie: Lie, fork: Mapping[str, Any]) -> dict[str, str]:
    """The first words in which the lists of a fork of height 1 differ, by who claimed them."""
    left, right = fork["list_a"], fork["list_b"]
    index = next(i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b)
    words = (left[index], right[index])
    true, false = words[::-1] if lie.is_false(fork["a"]) else words
    return {"true": to_hex(true), "false": to_hex(false)}


def _find_answer(lie: Lie) -> bytes | None:
    """The transaction in which somebody first stood up for the truth after the lie was told."""
    told = lie.events.index(lie.created)
    for located in lie.events[told + 1 :]:
        event = located.event
        if isinstance(event, Claimed | Revealed) and not lie.is_false(event.claim):
            return located.log.transaction
    return None


def _find_deaths(lie: Lie) -> list[tuple[Eliminated, bytes]]:
    """How claims on the lie ended."""
    return [(event, sent) for event, sent in lie.select(Eliminated) if lie.is_false(event.claim)]


def _describe_outcome(lie: Lie) -> dict[str, Any]:
    """Who lost what. Amounts in wei; `confirmed_node`: what L1 took for the truth in the end."""
    deaths = _find_deaths(lie)
    confirmed = [event.node for event, _ in lie.select(Confirmed)]
    proofs = {transaction for _, transaction in lie.select(Proven)}
    return {
        "dead_claims": [to_hex(event.claim) for event, _ in deaths],
        "is_killed_by_proof": any(transaction in proofs for _, transaction in deaths),
        "pot": str(sum(event.pot for event, _ in deaths)),
        "bounty": str(sum(event.bounty for event, _ in deaths)),
        "honest_claims_lost": len(lie.select(Eliminated)) - len(deaths),
        "true_node": to_hex(lie.true_node),
        "confirmed_node": to_hex(confirmed[-1]) if confirmed else None,
    }
