"""The files of the repository that the lints read."""

from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("optimist", "challenger", "devnet")
CODE = (*PACKAGES, "tests")
GENERATED = {"build", "node_modules", "out", "cache", ".venv", "__pycache__", ".hypothesis", ".pytest_cache"}


def find_files(pattern: str, *roots: str) -> Iterator[Path]:
    """Files below `roots` (default: everywhere) whose name matches, sorted; generated folders left out."""
    for root in roots or (".",):
        for path in sorted((REPOSITORY / root).rglob(pattern)):
            if not GENERATED.intersection(path.relative_to(REPOSITORY).parts):
                yield path


def name_of(path: Path) -> str:
    """How a message names a file: its path inside the repository."""
    return path.relative_to(REPOSITORY).as_posix()
