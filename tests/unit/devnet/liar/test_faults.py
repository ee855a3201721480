"""How one writes down a lie."""

import pytest

from devnet.liar.faults import (
    FaultError,
    MachineEdit,
    Padding,
    PatchedLaw,
    StateEdit,
    WrongLeaf,
    format_fault,
    parse_fault,
)
from devnet.liar.patches import PATCHES, load_false_law
from optimist.prove.law import load_law
from optimist.vm.tamper import Edit


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("mint", PatchedLaw("mint")),
        ("state:12:7:3:1:-1000", StateEdit(12, 7, 3, 1, -1000)),
        ("step:12:40:memory.17:5", MachineEdit(12, Edit(40, "memory.17", 5))),
        ("step:0:0:record.7.3.1:-5", MachineEdit(0, Edit(0, "record.7.3.1", -5))),
        ("leaf:3:batch:1", WrongLeaf(3, "batch", 1)),
        ("leaf:3:rest:-1", WrongLeaf(3, "rest", -1)),
        ("padding:0", Padding(0)),
    ],
)
def test_a_fault_is_read_and_written(text: str, fault: object) -> None:
    assert parse_fault(text) == fault
    assert format_fault(parse_fault(text)) == text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("steal-everything", "use one of: skip-margin-check"),
        ("none", "use one of"),
        ("mint:5", "there is no fault"),
        ("state:1:2:3", "there is no fault"),
        ("state:1:7:3:8:1", "word 8 is not in 0..7"),
        ("state:1:256:3:0:1", "table 256"),
        ("state:1:7:3:0:0", "a change by 0 is no lie"),
        ("state:-1:7:3:0:1", "'-1' is not a count"),
        ("step:1:2:heart:5", "no field 'heart'"),
        ("step:1:2:memory.5000:5", "5000"),
        ("leaf:3:root:1", "there is no fault"),
        ("padding:x", "'x' is not a count"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(FaultError, match=complaint):
        parse_fault(text)


@pytest.mark.parametrize("preset", ["minimal", "mainnet"])
@pytest.mark.parametrize("name", sorted(PATCHES))
def test_every_patched_law_compiles_to_another_image(preset: str, name: str) -> None:
    assert load_false_law(preset, name).image.root != load_law(preset).image.root
    assert PATCHES[name].story


def test_an_unknown_patched_law_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no patched law 'kindness'"):
        load_false_law("minimal", "kindness")
