"""The wrappers in solidity/bin: the compiler answers as its callers expect, and failures are failures."""

import subprocess
from pathlib import Path

import pytest

BIN = Path(__file__).resolve().parents[3] / "solidity" / "bin"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    tool, *arguments = command
    return subprocess.run(
        [BIN / tool, *arguments], cwd=BIN.parent, capture_output=True, text=True, timeout=60, check=False
    )


def test_solc_is_the_pinned_one_and_calls_itself_a_native_build() -> None:
    assert "Version: 0.8.37+commit." in run("solc", "--version").stdout
    assert ".Linux.g++" in run("solc", "--version").stdout


def test_solc_refuses_what_it_does_not_do() -> None:
    done = run("solc", "--bin", "a.sol")
    assert done.returncode == 2
    assert "answers --version and --standard-json only, not: --bin a.sol" in done.stderr


@pytest.mark.parametrize("tool", ["forge", "anvil", "cast"])
def test_foundry_tool_runs_and_its_exit_code_arrives(tool: str) -> None:
    assert run(tool, "--version").returncode == 0
    assert run(tool, "--no-such-option").returncode != 0


def test_format_check_of_a_badly_formatted_contract_fails(tmp_path: Path) -> None:
    contract = tmp_path / "Ugly.sol"
    contract.write_text("contract   Ugly{ }\n")
    assert run("forge", "fmt", "--check", str(contract)).returncode != 0
