"""The image root is the law's version: the same bytes on every Python and in every process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optimist.base.keccak import keccak
from tests.support.image_roots import PRESETS, ROOT, VECTOR, compute_roots, keccak_256


def _find_python(version: str) -> str | None:
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    managed = [str(path) for path in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for candidate in (*managed, shutil.which(f"python{version}")):
        # A shim on the path may stand for a version that is not installed.
        if candidate and subprocess.run([candidate, "-S", "-c", ""], check=False).returncode == 0:
            return candidate
    return None


def _print_root(python: str, preset: str, hash_seed: str = "0") -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    command = [
        python,
        "-S",
        "-m",
        "tests.support.image_roots",
        preset,
    ]  # -S: none of our packages, whichever Python this is
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_image_roots_are_the_committed_ones() -> None:
    assert json.loads(VECTOR.read_text()) == compute_roots(), (
        "the law or the compiler has changed: that is a new version of the law. If it is meant, run "
        "python -m tests.support.image_roots and commit tests/vectors/image_roots.json"
    )


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("version", ["3.11", "3.12"])
def test_the_image_root_is_the_same_on_every_supported_python(version: str, preset: str) -> None:
    python = _find_python(version)
    if python is None:
        pytest.skip(f"no python{version} on this machine: the committed root is compared wherever one is")
    assert _print_root(python, preset) == compute_roots()[preset]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_image_root_does_not_depend_on_the_order_of_sets(hash_seed: str) -> None:
    assert _print_root(sys.executable, "minimal", hash_seed) == compute_roots()["minimal"]


@pytest.mark.parametrize("length", [0, 1, 64, 135, 136, 137, 300])
def test_the_plain_python_keccak_is_keccak(length: int) -> None:
    data = bytes(i % 251 for i in range(length))
    assert keccak_256(data) == keccak(data)
