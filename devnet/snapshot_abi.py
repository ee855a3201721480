"""Writes the ABI snapshots that the services read: `python -m devnet.snapshot_abi [--check]`.

With --check nothing is written; exit code 1 names the snapshots that are stale.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devnet.compile import REPOSITORY, compile_contracts

SNAPSHOTS = REPOSITORY / "optimist" / "l1" / "abi"
CONTRACTS = ("Dispute", "IERC20", "Inbox", "Rollup", "Step", "Vault")

Json = Any  # an ABI is JSON of the compiler's making


def render_abi(abi: list[Json]) -> str:
    """One line an entry, sorted, without the compiler's own type names: a change is one line of a diff."""
    entries = sorted((_strip(entry) for entry in abi), key=lambda e: (e["type"], e.get("name", ""), str(e)))
    return "[\n" + ",\n".join(json.dumps(entry, sort_keys=True) for entry in entries) + "\n]\n"


def find_stale() -> Iterator[tuple[Path, str]]:
    """(snapshot, what it should say) of every snapshot that differs from the contracts."""
    contracts = compile_contracts()
    for name in CONTRACTS:
        path, text = SNAPSHOTS / f"{name}.json", render_abi(contracts[name].abi)
        if not path.exists() or path.read_text() != text:
            yield path, text


def main(arguments: list[str]) -> int:
    """Exit code: 0 when everything is (now) fresh."""
    check = arguments == ["--check"]
    if arguments and not check:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    code = 0
    for path, text in find_stale():
        sys.stdout.write(f"{path.relative_to(REPOSITORY)} {'is stale' if check else 'written'}\n")
        if check:
            code = 1
        else:
            path.write_text(text)
    return code


def _strip(part: Json) -> Json:
    if isinstance(part, dict):
        return {key: _strip(value) for key, value in part.items() if key != "internalType"}
    return [_strip(item) for item in part] if isinstance(part, list) else part


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
