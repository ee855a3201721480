import pytest

from optimist.base.merkle import ZERO, root_from_path
from optimist.vm.image import Image, compute_image_root
from optimist.vm.isa import MEMORY_WORDS, PROGRAM_WORDS, Instruction, Op
from optimist.vm.word import to_bytes

WORD = Instruction(Op.HALT).encode()


def test_root_of_an_image_covers_every_part() -> None:
    image = Image((WORD,), (to_bytes(5),), 0)
    others = (
        Image((WORD, WORD), (to_bytes(5),), 0),
        Image((WORD,), (to_bytes(6),), 0),
        Image((WORD,), (to_bytes(5),), 1),
    )
    assert len({image.root, *(other.root for other in others)}) == 4
    assert image.root == compute_image_root(image.program_root, image.memory_root, image.entry)


def test_root_of_an_image_is_pinned() -> None:
    image = Image((WORD, Instruction(Op.ADD, 1, 2, 3, 4).encode()), (to_bytes(-1),), 1)
    assert image.root.hex() == "ca2f24a2a32ab17223641546a929957e58a16dd4c9e0d296dd32540f58ab96cc"


def test_padding_does_not_change_the_root() -> None:
    assert Image((WORD,), (), 0).root == Image((WORD, bytes(32)), (bytes(32),) * 3, 0).root


def test_empty_image_has_empty_trees() -> None:
    image = Image((), (), 0)
    assert (image.program_root, image.memory_root) == (ZERO, ZERO)


def test_program_tree_proves_its_instructions() -> None:
    words = tuple(Instruction(Op.JMP, imm=i).encode() for i in range(5))
    image = Image(words, (), 0)
    for index in (0, 4, 5, PROGRAM_WORDS - 1):
        word = words[index] if index < 5 else bytes(32)
        assert root_from_path(index, word, image.program_tree.siblings(index)) == image.program_root


def test_decoded_program_is_padded_and_ends() -> None:
    image = Image((WORD,), (), 0)
    assert len(image.instructions) == PROGRAM_WORDS + 1
    assert len(image.words) == MEMORY_WORDS


@pytest.mark.parametrize(
    ("program", "memory", "entry", "message"),
    [
        ((WORD,) * (PROGRAM_WORDS + 1), (), 0, "program has 4097 words"),
        ((), (bytes(32),) * (MEMORY_WORDS + 1), 0, "memory has 1025 words"),
        ((b"short",), (), 0, "program must have 32 bytes"),
        ((), (bytes(33),), 0, "memory must have 32 bytes"),
        ((WORD,), (), PROGRAM_WORDS, "entry 4096"),
        ((WORD,), (), -1, "entry -1"),
    ],
)
def test_image_that_does_not_fit_the_machine_is_refused(
    program: tuple[bytes, ...], memory: tuple[bytes, ...], entry: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Image(program, memory, entry)
