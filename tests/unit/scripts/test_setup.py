"""The set-up says in one line what is missing, and is not fooled by an interpreter that does not run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with just the files that the set-up reads."""
    locks = ("solidity/package-lock.json", "examples/package-lock.json")
    for name in ("scripts/setup", "pyproject.toml", "constraints.txt", *locks):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


def write_python(clone: Path, name: str, body: str) -> str:
    """A stand-in for an interpreter, made of shell."""
    path = clone / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def run_setup(clone: Path, pythons: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [clone / "scripts" / "setup"],
        env=os.environ | {"PYTHON": pythons},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_setup_without_a_supported_python_stops_with_one_clear_line(clone: Path) -> None:
    old = write_python(clone, "old", "echo 3.10")
    new = write_python(clone, "new", "echo 3.13")
    done = run_setup(clone, f"{old} {new}")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "Python 3.11 or 3.12 is needed" in line
    assert f"{old}=3.10" in line
    assert f"{new}=3.13" in line


def test_setup_passes_over_an_interpreter_that_does_not_run(clone: Path) -> None:
    shim = write_python(clone, "shim", "echo 'command not found' >&2; exit 127")
    good = write_python(clone, "good", 'case "$1" in -c) echo 3.12 ;; *) exit 1 ;; esac')
    done = run_setup(clone, f"{shim} {good}")
    assert done.stdout == f"setup: Python 3.12 ({good})\n"
    assert done.stderr == f"setup: stopped: {good} could not make .venv\n"


def test_setup_names_the_missing_venv_package(clone: Path) -> None:
    bare = write_python(clone, "bare", 'case "$2" in *ensurepip*) exit 1 ;; *) echo 3.11 ;; esac')
    done = run_setup(clone, bare)
    assert done.returncode == 1
    assert done.stderr == (
        f"setup: stopped: {bare} cannot make a virtual environment; install its venv package (python3-venv)\n"
    )
