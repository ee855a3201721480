"""One law: as it is, and altered."""

import pytest

from optimist.provable.check.refusal import Refused
from optimist.prove.law import Patch, load_law

TRANSITION = "optimist.stf.transition"


def test_the_same_law_is_loaded_and_compiled_once() -> None:
    assert load_law("minimal") is load_law("minimal")
    assert load_law("minimal").image is load_law("minimal").image
    assert load_law("minimal").image.root != load_law("mainnet").image.root


def test_an_altered_law_has_another_root_and_leaves_the_law_alone() -> None:
    true_root = load_law("minimal").image.root
    patch = Patch("optimist.stf.codes", "NOT_INITIALISED = ", "NOT_INITIALISED = 1000 + ")
    altered = load_law("minimal", [patch])
    assert altered.image.root != true_root
    assert load_law("minimal").image.root == true_root


@pytest.mark.parametrize(("old", "count"), [("no such text", 0), ("Code.", None)])
def test_a_patch_whose_text_does_not_stand_there_once_says_so(old: str, count: int | None) -> None:
    with pytest.raises(ValueError, match=rf"stands {'.*' if count is None else count} times in"):
        load_law("minimal", [Patch(TRANSITION, old, "")])


def test_an_altered_law_that_is_not_provable_is_refused() -> None:
    patch = Patch(TRANSITION, "    store(0, system)\n", "    store(1 << 40, system)\n")
    with pytest.raises(Refused, match="of a row"):
        _ = load_law("minimal", [patch]).compiled


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(ValueError, match="enormous"):
        load_law("enormous")
