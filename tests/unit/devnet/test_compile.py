"""The two ways to compile a contract give the same bytes, and the compiler's cache never lies."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from solcx.exceptions import SolcError

from devnet import compile as compiler

FORGE = compiler.SOLIDITY / "bin" / "forge"
SMOKE = "test/Toolchain.t.sol"


def build_with_forge() -> Path:
    """Artifacts of a forge build in a folder of its own, so that no other forge run is disturbed."""
    places = {"FOUNDRY_OUT": "cache/equal/out", "FOUNDRY_CACHE_PATH": "cache/equal"}
    built = subprocess.run(
        [FORGE, "build", "src", SMOKE],
        cwd=compiler.SOLIDITY,
        env=os.environ | places,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return compiler.SOLIDITY / places["FOUNDRY_OUT"]


def test_forge_and_py_solc_x_give_the_same_bytecode_for_every_contract() -> None:
    artifacts = build_with_forge()
    contracts = compiler.compile_contracts(
        compiler.read_all_sources() | compiler.read_sources(SMOKE),
    )
    for contract in contracts.values():
        folder = artifacts / Path(contract.source).name
        forge = json.loads((folder / f"{contract.name}.json").read_text())
        assert forge["bytecode"]["object"].removeprefix("0x") == contract.creation.hex(), contract.name
        assert forge["deployedBytecode"]["object"].removeprefix("0x") == contract.runtime.hex(), contract.name
        references = forge["deployedBytecode"].get("immutableReferences", {}).values()
        places = sorted(sorted(place["start"] for place in each) for each in references)
        assert places == sorted(contract.immutables.values()), contract.name
    assert contracts["ToolchainTest"].creation
    assert contracts["Rollup"].immutables


def test_immutables_are_told_by_name_at_every_place_of_their_use() -> None:
    source = """contract One {
        uint8 public immutable FIRST; address public immutable SECOND; uint8 constant THIRD = 3; uint8 fourth;
        constructor() { FIRST = 1; SECOND = msg.sender; }
        function f() external view returns (bool) { return SECOND == msg.sender; }
    }"""
    one = compiler.compile_contracts({"One.sol": source})["One"]
    assert {name: len(places) for name, places in one.immutables.items()} == {"FIRST": 1, "SECOND": 2}
    for place in [*one.immutables["FIRST"], *one.immutables["SECOND"]]:
        assert one.runtime[place - 1 : place + compiler.WORD] == b"\x7f" + bytes(compiler.WORD)


def test_read_sources_follows_imports_and_nothing_else() -> None:
    assert set(compiler.read_sources(SMOKE)) == {SMOKE, "test/support/Test.sol", "test/support/Vm.sol"}


def test_changed_source_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "CACHE", tmp_path)
    source = "contract One { function f() external pure returns (uint8) { return 1; } }"
    first = compiler.compile_contracts({"One.sol": source})["One"]
    again = compiler.compile_contracts({"One.sol": source})["One"]
    other = compiler.compile_contracts({"One.sol": source.replace("return 1", "return 2")})["One"]
    assert first == again
    assert other.runtime != first.runtime
    assert len(list(tmp_path.iterdir())) == 2  # two answers, no leftover of a write


def test_source_that_does_not_compile_raises_with_the_compilers_words() -> None:
    with pytest.raises(SolcError, match="ParserError"):
        compiler.compile_contracts({"Bad.sol": "pragma solidity 0.8.37; contract {"})


def test_same_contract_name_in_two_files_is_refused() -> None:
    source = "pragma solidity 0.8.37; contract One {}"
    with pytest.raises(ValueError, match=r"contract One is defined in A\.sol and in B\.sol"):
        compiler.compile_contracts({"A.sol": source, "B.sol": source})
