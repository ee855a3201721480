"""The game stays small enough to be read in one sitting, and none of its work grows with the players."""

import re
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "solidity" / "src"
GAME = ("rollup/Rollup.sol", "dispute/Dispute.sol")
MOST_LINES = 500

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r'^import .*?"([^"]+)";', re.MULTILINE)
_LOOP = re.compile(r"\b(?:for|while|do)\b")


def read_code(name: str) -> list[str]:
    """The lines that are left without comments and blank lines, as they stand: a lone brace is one."""
    code = _COMMENT.sub("", (SOURCES / name).read_text())
    return [line for line in code.splitlines() if line.strip()]


def find_imports(name: str) -> set[str]:
    """What a source imports, by path below solidity/src."""
    text = _COMMENT.sub("", (SOURCES / name).read_text())
    folder = (SOURCES / name).parent
    return {(folder / path).resolve().relative_to(SOURCES).as_posix() for path in _IMPORT.findall(text)}


def find_own_libraries() -> set[str]:
    """Libraries that nothing but the game imports, directly or through another of them."""
    users: dict[str, set[str]] = {}
    for path in SOURCES.rglob("*.sol"):
        name = path.relative_to(SOURCES).as_posix()
        for imported in find_imports(name):
            users.setdefault(imported, set()).add(name)
    own = {name for name in users if name.startswith("lib/")}
    while shared := {name for name in own if not users[name] <= own | set(GAME)}:
        own -= shared
    return own


def test_the_game_without_the_machine_is_at_most_500_lines() -> None:
    libraries = find_own_libraries()
    assert "lib/Lists.sol" in libraries, "the search for the game's own libraries finds nothing"
    lines = {name: len(read_code(name)) for name in (*GAME, *sorted(libraries))}
    assert sum(lines.values()) <= MOST_LINES, lines


def test_the_game_has_no_loop() -> None:
    """Over claims, matches, children or anything else: only over the 2k words of one list."""
    for name in GAME:
        assert not [line for line in read_code(name) if _LOOP.search(line)], f"{name}: a loop"
    assert sum(len(_LOOP.findall(line)) for line in read_code("lib/Lists.sol")) == 1
