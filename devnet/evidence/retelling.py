"""Whether a lie was the one that its fault describes: it is told again, off chain, and compared with L1."""

from collections.abc import Mapping
from typing import Any

from challenger.settings import get_parameters
from challenger.trace.law import LawProvider
from devnet.evidence.dispute import Lie
from devnet.history import RollupHistory
from devnet.liar.faults import FaultError, PatchedLaw, parse_fault
from devnet.liar.patches import load_false_law
from devnet.liar.provider import Liar
from optimist.base.presets import Preset
from optimist.derive.commitments import compute_leaf
from optimist.l1.types import to_hex
from optimist.prove.law import Law


def find_retelling_faults(
    history: RollupHistory, lie: Lie, described: Mapping[str, Any], preset: Preset, law: Law
) -> list[str]:
    """What in the description of a lie does not follow from its fault and from the law. Empty: nothing.

    The law and the machine run again here, natively and step by step: what L1 was asked is asked a second
    time, in Python.
    """
    try:
        fault = parse_fault(described["fault"])
    except FaultError as error:
        return [f"fault: {error}"]
    since = lie.node.from_
    truth = LawProvider(get_parameters(preset), history, law)
    own_law = load_false_law(law.preset, fault.name) if isinstance(fault, PatchedLaw) else None
    liar = Liar(truth, fault, since=since, own_law=own_law)
    found = [("asserted_root", to_hex(liar.get_end_root(lie.node.to) or b""))]
    if described["input"] is not None:
        position = described["input"]["number"] - history.get_input_count(since)
        for name, provider in (("true", truth), ("false", liar)):
            root = provider.get_root_after(since, position)
            opening = provider.get_opening(since, position)
            batch = described["input"]["batch"]
            found.append((f"leaves.{name}", to_hex(compute_leaf(root, batch, opening.next_rest))))
        if described["step"] is not None:
            number = described["step"]["number"]
            trace, false_trace = truth.get_trace(since, position), liar.get_trace(since, position)
            found += [
                ("step.before", to_hex(truth.get_machine_trace(since, position).get_state(number))),
                ("step.after", to_hex(get_end(trace.ends, number))),
                ("step.false", to_hex(get_end(false_trace.ends, number))),
            ]
    return [
        f"{path}: {described['fault']} gives {value}, the file says {get_path(described, path)}"
        for path, value in found
        if get_path(described, path) != value
    ]


def get_end(ends: tuple[bytes, ...], number: int) -> bytes:
    """State after a step; a machine that has stopped repeats its last one."""
    return ends[min(number, len(ends) - 1)]


def get_path(described: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path."""
    value: Any = described
    for name in path.split("."):
        value = value[name]
    return value
