"""What a liar can lie about, and how one writes it down.

    skip-margin-check                      a law that was patched: see `patches.py` for all names
    state:INPUT:TABLE:ROW:WORD:DELTA       after an input, a word of a record is larger by DELTA
    step:INPUT:STEP:FIELD:DELTA            after a step of an input, a field of the machine is larger by DELTA
    leaf:INPUT:batch:DELTA                 the leaf after an input names another batch
    leaf:INPUT:rest:DELTA                  the leaf after an input names another chain of inputs to come
    padding:POSITION                       the state changes once more, POSITION places after the last input

INPUT counts the inputs of all batches from 0 (INIT is input 0). FIELD is one of `optimist.vm.tamper`: `pc`,
`memory.INDEX`, `record.TABLE.ROW.WORD`, `memory_root`, `state_root`, `base_root`, `input_hash`.
"""

from dataclasses import dataclass
from typing import Final, Literal

from devnet.liar.patches import PATCHES
from optimist.vm.isa import RECORD_WORDS
from optimist.vm.records import compute_record_key
from optimist.vm.tamper import Edit


class FaultError(ValueError):
    """The description of a fault makes no sense; the message says what would."""


@dataclass(frozen=True, slots=True)
class PatchedLaw:
    """Every input follows another law."""

    name: str


@dataclass(frozen=True, slots=True)
class StateEdit:
    """One word of one record is changed after one input."""

    input: int
    table: int
    row: int
    word: int
    delta: int


@dataclass(frozen=True, slots=True)
class MachineEdit:
    """The machine is changed after one step of one input, and runs on from there."""

    input: int
    edit: Edit


@dataclass(frozen=True, slots=True)
class WrongLeaf:
    """The leaf after one input has the right root, and another batch or another chain."""

    input: int
    part: Literal["batch", "rest"]
    delta: int


@dataclass(frozen=True, slots=True)
class Padding:
    """Something happens after the last input of the range. `position` 0 is the first place behind it."""

    position: int


Fault = PatchedLaw | StateEdit | MachineEdit | WrongLeaf | Padding

FORMS: Final = (
    "state:INPUT:TABLE:ROW:WORD:DELTA",
    "step:INPUT:STEP:FIELD:DELTA",
    "leaf:INPUT:batch:DELTA",
    "leaf:INPUT:rest:DELTA",
    "padding:POSITION",
)


def parse_fault(text: str) -> Fault:
    """The fault that `text` describes. Raises FaultError."""
    kind, *parts = text.split(":")
    if kind in PATCHES and not parts:
        return PatchedLaw(kind)
    try:
        match kind, parts:
            case "state", [number, table, row, word, delta]:
                return _check_state(
                    StateEdit(_count(number), int(table), int(row), int(word), _change(delta))
                )
            case "step", [number, step, field, delta]:
                return MachineEdit(_count(number), Edit(_count(step), field, _change(delta)))
            case "leaf", [number, "batch", delta]:
                return WrongLeaf(_count(number), "batch", _change(delta))
            case "leaf", [number, "rest", delta]:
                return WrongLeaf(_count(number), "rest", _change(delta))
            case "padding", [position]:
                return Padding(_count(position))
            case _:
                pass
    except ValueError as error:
        raise FaultError(f"fault {text!r}: {error}") from error
    raise FaultError(f"there is no fault {text!r}; use one of: {', '.join((*PATCHES, *FORMS))}")


def format_fault(fault: Fault) -> str:
    """Inverse of `parse_fault`."""
    match fault:
        case PatchedLaw(name):
            return name
        case StateEdit(number, table, row, word, delta):
            return f"state:{number}:{table}:{row}:{word}:{delta}"
        case MachineEdit(number, edit):
            return f"step:{number}:{edit.step}:{edit.field}:{edit.delta}"
        case WrongLeaf(number, part, delta):
            return f"leaf:{number}:{part}:{delta}"
        case Padding(position):
            return f"padding:{position}"


def _check_state(fault: StateEdit) -> StateEdit:
    compute_record_key(fault.table, fault.row)
    if not 0 <= fault.word < RECORD_WORDS:
        raise ValueError(f"word {fault.word} is not in 0..{RECORD_WORDS - 1}")
    return fault


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a count from 0")
    return int(text)


def _change(text: str) -> int:
    if int(text) == 0:
        raise ValueError("a change by 0 is no lie")
    return int(text)
