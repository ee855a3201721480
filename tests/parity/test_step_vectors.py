"""The vectors are what the code makes, and both faces follow them."""

import json

import pytest

from optimist.vm.step import step
from optimist.vm.witness import FalseWitness
from tests.support.step_vectors import VECTORS, build_vectors, render


def test_vectors_are_those_of_the_machine() -> None:
    assert VECTORS.read_text() == render(build_vectors()), "run: python -m tests.support.step_vectors"


def test_slow_step_follows_the_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())
    program_root = bytes.fromhex(vectors["image"]["programRoot"][2:])
    steps, refused = vectors["steps"], vectors["refused"]
    for name, *words in zip(steps["name"], steps["pre"], steps["proof"], steps["post"], strict=True):
        pre, proof, post = (bytes.fromhex(word[2:]) for word in words)
        assert step(pre, proof, program_root) == post, name
    for pre, proof in zip(refused["pre"], refused["proof"], strict=True):
        with pytest.raises(FalseWitness):
            step(bytes.fromhex(pre[2:]), bytes.fromhex(proof[2:]), program_root)
