"""Writes what is generated from the contracts and committed: `python -m devnet.snapshots [--check]`.

ABIs, which the services read; creation code, which `optimist deploy` sends, and what it leaves on L1, which
every program looks for there; layouts of storage and sizes, so that a change of either is seen in a diff.
With --check nothing is written; exit code 1 names the snapshots that are stale. Gas is forge's.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from devnet.compile import REPOSITORY, SOLIDITY, Contract, compile_contracts
from optimist.l1.creation import ORDER

ABIS = REPOSITORY / "optimist" / "l1" / "abi"
CODE = REPOSITORY / "optimist" / "l1" / "code"
SNAPSHOTS = SOLIDITY / "snapshots"
INTERFACES = ("IERC20",)  # of contracts that are not ours but are called

Json = Any  # an ABI is JSON of the compiler's making


def render_snapshots(contracts: Mapping[str, Contract]) -> dict[Path, str]:
    """What each snapshot should say. Covers every contract that a rollup deploys."""
    deployed = {name: contract for name, contract in sorted(contracts.items()) if is_deployed(contract)}
    texts = {
        ABIS / f"{name}.json": render_abi(contracts[name].abi) for name in sorted({*deployed, *INTERFACES})
    }
    texts |= {CODE / f"{name}.hex": f"{contracts[name].creation.hex()}\n" for name in ORDER}
    texts[CODE / "runtime.json"] = render_runtimes([contracts[name] for name in sorted(ORDER)])
    layouts = {name: render_storage(contract.storage) for name, contract in deployed.items()}
    sizes = {
        name: {"creation": len(contract.creation), "runtime": len(contract.runtime)}
        for name, contract in deployed.items()
    }
    texts[SNAPSHOTS / "storage.json"] = json.dumps(layouts, indent=2) + "\n"
    texts[SNAPSHOTS / "size.json"] = json.dumps(sizes, indent=2) + "\n"
    return texts


def is_deployed(contract: Contract) -> bool:
    """Whether a rollup deploys it: code of its own, not a library, not the devnet's token."""
    functions = [entry for entry in contract.abi if entry["type"] in {"function", "constructor"}]
    return bool(contract.creation and functions) and not contract.source.startswith("src/devnet/")


def render_abi(abi: list[Json]) -> str:
    """One line an entry, sorted, without the compiler's own type names: a change is one line of a diff."""
    entries = sorted((_strip(entry) for entry in abi), key=lambda e: (e["type"], e.get("name", ""), str(e)))
    return "[\n" + ",\n".join(json.dumps(entry, sort_keys=True) for entry in entries) + "\n]\n"


def render_runtimes(contracts: Iterable[Contract]) -> str:
    """How many bytes at the end of creation code stand on L1, and where the immutables are in them.

    Raises ValueError when creation code does not end so: another compiler, another layout.
    """
    lines = []
    for contract in contracts:
        if not contract.creation.endswith(contract.runtime):
            raise ValueError(f"the creation code of {contract.name} does not end with its runtime code")
        layout = {"length": len(contract.runtime), "immutables": contract.immutables}
        lines.append(f"{json.dumps(contract.name)}: {json.dumps(layout)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def render_storage(layout: Json) -> list[str]:
    """One line a variable, and a line for each member of a struct that is stored: slot, byte, name, type."""
    types = layout["types"] or {}
    lines = [_describe(entry, types) for entry in layout["storage"]]
    structs = sorted({types[name]["label"]: name for name in types if types[name].get("members")}.items())
    lines += [
        f"{label}: {_describe(member, types)}" for label, name in structs for member in types[name]["members"]
    ]
    return lines


def find_stale() -> Iterator[tuple[Path, str]]:
    """(snapshot, what it should say) of every snapshot that differs from the contracts."""
    for path, text in render_snapshots(compile_contracts()).items():
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
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    return code


def _describe(variable: Json, types: Json) -> str:
    return f"{variable['slot']}+{variable['offset']} {variable['label']}: {types[variable['type']]['label']}"


def _strip(part: Json) -> Json:
    if isinstance(part, dict):
        return {key: _strip(value) for key, value in part.items() if key != "internalType"}
    return [_strip(item) for item in part] if isinstance(part, list) else part


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
