"""What is generated from the contracts and committed is fresh, and says what it should."""

from dataclasses import replace
from pathlib import Path

import pytest

from devnet.compile import REPOSITORY, compile_contracts
from devnet.snapshots import ABIS, find_stale, is_deployed, render_runtimes, render_snapshots

MOST_RUNTIME_BYTES = 24_576  # EIP-170
MOST_CREATION_BYTES = 2 * MOST_RUNTIME_BYTES  # EIP-3860


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_snapshots_are_those_of_the_contracts() -> None:
    stale = [name_of(path) for path, _ in find_stale()]
    assert stale == [], "run `make snapshots` and read the diff"


def test_there_is_no_snapshot_of_a_contract_that_is_gone() -> None:
    expected = {path for path in render_snapshots(compile_contracts()) if path.parent == ABIS}
    assert set(ABIS.glob("*.json")) == expected


def test_a_rollup_deploys_the_five_contracts_and_no_other() -> None:
    deployed = {contract.name for contract in compile_contracts().values() if is_deployed(contract)}
    assert deployed == {"Dispute", "Inbox", "Rollup", "Step", "Vault"}


def test_creation_code_that_does_not_end_with_what_it_leaves_on_l1_is_no_snapshot() -> None:
    contract = compile_contracts()["Step"]
    with pytest.raises(ValueError, match="the creation code of Step does not end with its runtime code"):
        render_runtimes([replace(contract, creation=contract.creation + b"\0")])


def test_every_contract_fits_the_limits_of_ethereum() -> None:
    for contract in compile_contracts().values():
        assert len(contract.runtime) <= MOST_RUNTIME_BYTES, contract.name
        assert len(contract.creation) <= MOST_CREATION_BYTES, contract.name
