import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.vm import isa
from optimist.vm.isa import OPCODES, Instruction, Op

REPOSITORY = Path(__file__).parents[3]
ISA_SOL = (REPOSITORY / "solidity/src/vm/Isa.sol").read_text()
README = (REPOSITORY / "optimist/vm/README.md").read_text()
CONTRACT_README = (REPOSITORY / "solidity/src/vm/README.md").read_text()


def test_opcodes_are_numbered_without_gaps() -> None:
    assert [int(op) for op in Op] == list(range(OPCODES)) == list(range(41))


def test_zero_word_is_the_illegal_instruction() -> None:
    assert Instruction.decode(bytes(32)) == Instruction(Op.ILL)


@given(st.binary(min_size=32, max_size=32))
def test_every_word_decodes_and_encodes_back(word: bytes) -> None:
    assert Instruction.decode(word).encode() == word


def test_fields_lie_where_the_encoding_says() -> None:
    instruction = Instruction(Op.ADD, 0x0102, 0x0304, 0x0506, 0x07)
    assert instruction.encode().hex() == "04" + "0102" + "0304" + "0506" + "00" * 24 + "07"


@pytest.mark.parametrize(
    "instruction",
    [
        Instruction(256),
        Instruction(-1),
        Instruction(Op.ADD, d=1 << 16),
        Instruction(Op.ADD, a=-1),
        Instruction(Op.ADD, b=1 << 16),
        Instruction(Op.JMP, imm=-1),
        Instruction(Op.JMP, imm=1 << 200),
    ],
)
def test_field_that_does_not_fit_is_refused(instruction: Instruction) -> None:
    with pytest.raises(ValueError, match="fit"):
        instruction.encode()


@pytest.mark.parametrize("length", [0, 31, 33])
def test_word_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Instruction.decode(bytes(length))


def test_contract_has_the_same_opcodes_and_sizes() -> None:
    found = re.findall(r"uint256 internal constant (\w+) = ([^;]+);", ISA_SOL)
    constants = {name: eval(value, {"__builtins__": {}}) for name, value in found}  # noqa: S307 (numbers and shifts)
    opcodes = {op.name: int(op) for op in Op}
    assert {name: constants.pop(name) for name in opcodes} == opcodes
    for name, value in constants.items():
        assert getattr(isa, name) == value, name


@pytest.mark.parametrize("text", [README, CONTRACT_README], ids=["optimist/vm", "solidity/src/vm"])
def test_readme_lists_every_opcode_with_its_number(text: str) -> None:
    if text is CONTRACT_README:
        assert "optimist/vm/README.md" in text  # the table is there
        return
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)
    assert [(int(number), name) for number, name in rows] == [(int(op), op.name) for op in Op]
