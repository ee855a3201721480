from devnet.snapshot_abi import find_stale


def test_abi_snapshots_are_those_of_the_contracts() -> None:
    stale = [path.name for path, _ in find_stale()]
    assert stale == [], "run: python -m devnet.snapshot_abi"
