"""Compiles the contracts through py-solc-x, by the settings of `solidity/foundry.toml`; keeps the result.

Deployment and tests take bytecode from here, forge compiles for its own tests; a test proves that both give
the same bytes. Services need no compiler: they read the ABI snapshots in `optimist/l1/abi/`.
"""

import hashlib
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from solcx import compile_standard

REPOSITORY = Path(__file__).resolve().parent.parent
SOLIDITY = REPOSITORY / "solidity"
SOLC = SOLIDITY / "bin" / "solc"
CACHE = REPOSITORY / "build" / "contracts"

WORD = 32  # bytes
OUTPUTS = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "storageLayout",
]

Json = Any  # an ABI is JSON of the compiler's making; web3 takes it as it is

_IMPORT = re.compile(r"""^import\b[^"';]*["']([^"']+)["']\s*;""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Contract:
    """One compiled contract. Interfaces and abstract contracts have empty `creation` and `runtime`."""

    name: str
    source: str  # path inside solidity/, such as "src/vm/Step.sol"
    abi: list[Json]
    creation: bytes  # without constructor arguments
    runtime: bytes  # immutables are zero here; the constructor fills them in
    immutables: dict[str, list[int]]  # name -> where in `runtime` its 32 bytes stand, once for each use
    storage: Json  # the compiler's storageLayout


def read_sources(*entries: str) -> dict[str, str]:
    """Source texts by path inside solidity/: the given files and all that they import, directly or not.

    Raises FileNotFoundError for a path that does not exist.
    """
    sources: dict[str, str] = {}
    wanted = list(entries)
    while wanted:
        path = wanted.pop()
        if path not in sources:
            sources[path] = (SOLIDITY / path).read_text()
            wanted.extend(
                _join(PurePosixPath(path).parent, found) for found in _IMPORT.findall(sources[path])
            )
    return sources


def read_all_sources() -> dict[str, str]:
    """Every source below solidity/src, by its path inside solidity/."""
    return {
        path.relative_to(SOLIDITY).as_posix(): path.read_text()
        for path in sorted((SOLIDITY / "src").rglob("*.sol"))
    }


def compile_contracts(sources: Mapping[str, str] | None = None) -> dict[str, Contract]:
    """Contracts by name, compiled from `sources` (default: all of solidity/src).

    Names must be unique among the sources: ValueError says which are not. Raises solcx.exceptions.SolcError
    with the compiler's own words when the sources do not compile.
    """
    texts = read_all_sources() if sources is None else sources
    output = _compile(_request(texts))
    contracts: dict[str, Contract] = {}
    for source, named in sorted(output["contracts"].items()):
        for name, parts in named.items():
            if name in contracts:
                raise ValueError(f"contract {name} is defined in {contracts[name].source} and in {source}")
            contracts[name] = Contract(
                name=name,
                source=source,
                abi=parts["abi"],
                creation=bytes.fromhex(parts["evm"]["bytecode"]["object"]),
                runtime=bytes.fromhex(parts["evm"]["deployedBytecode"]["object"]),
                immutables=_read_places(parts["evm"]["deployedBytecode"], output["immutables"]),
                storage=parts["storageLayout"],
            )
    return contracts


def _read_places(deployed: Json, names: Mapping[str, str]) -> dict[str, list[int]]:
    """Where each immutable stands, by name. Raises ValueError where one has not the 32 bytes of a PUSH32."""
    references = deployed.get("immutableReferences", {})
    if any(place["length"] != WORD for places in references.values() for place in places):
        raise ValueError(f"an immutable has not {WORD} bytes: {references}")
    found = {names[key]: sorted(place["start"] for place in places) for key, places in references.items()}
    return dict(sorted(found.items()))


def _find_immutables(tree: Json) -> Iterator[tuple[str, str]]:
    """(number, name) of every immutable in a syntax tree: the compiler speaks of them by number."""
    if isinstance(tree, list):
        for part in tree:
            yield from _find_immutables(part)
    elif isinstance(tree, dict):
        if tree.get("mutability") == "immutable":
            yield str(tree["id"]), tree["name"]
        for part in tree.values():
            yield from _find_immutables(part)


def _join(folder: PurePosixPath, imported: str) -> str:
    """Path of an import as Solidity resolves it: relative when it begins with a dot, else from solidity/."""
    return os.path.normpath(folder / imported) if imported.startswith(".") else imported


def _request(sources: Mapping[str, str]) -> dict[str, Json]:
    """The standard JSON request for `sources` under the settings that forge uses."""
    foundry = tomllib.loads((SOLIDITY / "foundry.toml").read_text())["profile"]["default"]
    return {
        "language": "Solidity",
        "sources": {path: {"content": sources[path]} for path in sorted(sources)},
        "settings": {
            "optimizer": {"enabled": foundry["optimizer"], "runs": foundry["optimizer_runs"]},
            "evmVersion": foundry["evm_version"],
            "viaIR": foundry["via_ir"],
            "metadata": {"bytecodeHash": foundry["bytecode_hash"]},
            "outputSelection": {"*": {"": ["ast"], "*": OUTPUTS}},
        },
    }


def _compile(request: dict[str, Json]) -> Json:
    """The compiler's answer, from the cache where the same compiler has answered the same request before."""
    compiler = (SOLIDITY / "package-lock.json").read_bytes()
    key = hashlib.sha256(compiler + json.dumps(request, sort_keys=True).encode()).hexdigest()
    remembered = CACHE / f"{key}.json"
    if remembered.exists():
        return json.loads(remembered.read_bytes())
    output = compile_standard(request, solc_binary=SOLC)
    CACHE.mkdir(parents=True, exist_ok=True)
    trees = [source["ast"] for source in output["sources"].values()]
    kept = {"contracts": output.get("contracts", {}), "immutables": dict(_find_immutables(trees))}
    with tempfile.NamedTemporaryFile("w", dir=CACHE, suffix=".tmp", delete=False) as file:
        json.dump(kept, file)
    Path(file.name).replace(remembered)  # whole or not at all: several processes may compile at once
    return json.loads(remembered.read_bytes())
