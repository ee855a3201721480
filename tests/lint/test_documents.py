"""Documents tell the truth about the tree: links resolve, named files exist, packages name their files."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from tests.lint.tree import PACKAGES, REPOSITORY, find_files, name_of

DOCUMENTS = list(find_files("*.md"))
ROOM_DEPTH = 2  # optimist/vm is a room, optimist/vm/families a part of it
FOLDERS = sorted({path.parent for path in find_files("*.py", *PACKAGES)})

_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)\s]+)\)")
_PATH = re.compile(r"`((?:optimist|challenger|devnet|solidity|tests|docs|scripts)/[\w./-]+\w)`")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def compute_anchor(heading: str) -> str:
    """The anchor that a forge gives a heading: lower case, punctuation dropped, spaces to hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def get_anchors(path: Path) -> set[str]:
    text = _FENCE.sub("", path.read_text())
    return {compute_anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def find_broken_links(path: Path) -> Iterator[str]:
    for link in _LINK.findall(_FENCE.sub("", path.read_text())):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in get_anchors(target)):
            yield f"{name_of(path)}: {link}"


def test_links_resolve() -> None:
    broken = [link for path in DOCUMENTS for link in find_broken_links(path)]
    assert not broken, "these lead nowhere:\n" + "\n".join(broken)


def test_named_files_exist() -> None:
    missing = [
        f"{name_of(path)}: {name}"
        for path in DOCUMENTS
        for name in _PATH.findall(_FENCE.sub("", path.read_text()))
        if not (REPOSITORY / name).exists() and not list(REPOSITORY.glob(f"{name}.*"))
    ]
    assert not missing, "documents name files that do not exist:\n" + "\n".join(missing)


def test_index_names_every_document() -> None:
    index = (REPOSITORY / "docs" / "README.md").read_text()
    listed = set(re.findall(r"\b[\w-]+\.(?:md|json)\b", index))
    files = {path.name for path in (REPOSITORY / "docs").iterdir() if path.is_file()}
    assert files - listed == set(), "docs/README.md says what each page is for"


def find_unnamed(folder: Path) -> Iterator[str]:
    """Files of a package that its README leaves out; a part of a room may stand in the room's README."""
    readme = folder / "README.md"
    if not readme.exists() and len(folder.relative_to(REPOSITORY).parts) > ROOM_DEPTH:
        readme = folder.parent / "README.md"
    if not readme.exists():
        yield f"{name_of(folder)} has no README.md"
        return
    text = readme.read_text()
    for file in sorted(folder.glob("*.py")):
        if file.stem not in {"__init__", "__main__"} and not re.search(rf"\b{file.stem}\b", text):
            yield f"{name_of(readme)} does not name {file.name}"


def test_every_package_has_a_readme_that_names_its_files() -> None:
    unnamed = [line for folder in FOLDERS for line in find_unnamed(folder)]
    assert not unnamed, "a README says purpose, files with one line each, may import:\n" + "\n".join(unnamed)


def test_every_module_can_be_imported() -> None:
    for path in find_files("*.py", *PACKAGES):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        if parts[-1] != "__main__":
            importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
