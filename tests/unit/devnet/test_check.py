"""The check finds every altered line, every missing one and every invented one; and what a story lacks."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from devnet.check import find_differences, find_missing

RECORD: dict[str, Any] = {
    "schema": 1,
    "inputs": {"total": 12, "rejected": 2, "by_kind": {"INIT": 1, "TRADE": 11}},
    "batches": [{"batch": 1, "root": "0xaa"}, {"batch": 2, "root": "0xbb"}],
    "liquidations": [{"account": 2, "size": "-5"}],
    "withdrawals": [{"row": 1, "is_due": True}],
    "assertions": [
        {"is_true": True, "is_confirmed": True},
        {"is_true": False, "is_confirmed": False},
    ],
    "lies": [
        {
            "input": {"kind": kind},
            "step": {"number": 3, "opcode": "LDX"},
            "transactions": [{"gas": 5}, {"gas": 7}],
            "outcome": {
                "dead_claims": ["0x01"],
                "is_killed_by_proof": True,
                "honest_claims_lost": 0,
                "confirmed_node": "0x02",
                "true_node": "0x02",
            },
        }
        for kind in ("TRADE", "LIQUIDATE")
    ],
}


def walk(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all that stands in a record: leaves, and the containers that hold them."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield (*path, key)
        yield from walk(child, (*path, key))


def get_holder(record: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        record = record[key]
    return record


def alter(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value}0" if isinstance(value, str) else None


def test_a_true_record_has_no_differences() -> None:
    assert find_differences(copy.deepcopy(RECORD), RECORD) == []


@pytest.mark.parametrize("path", list(walk(RECORD)), ids=lambda path: ".".join(map(str, path)))
def test_every_altered_line_is_found(path: tuple[Any, ...]) -> None:
    told = copy.deepcopy(RECORD)
    holder = get_holder(told, path)
    holder[path[-1]] = alter(holder[path[-1]])
    assert len(find_differences(told, RECORD)) >= 1


@pytest.mark.parametrize("path", list(walk(RECORD)), ids=lambda path: ".".join(map(str, path)))
def test_every_line_left_out_or_invented_is_found(path: tuple[Any, ...]) -> None:
    told = copy.deepcopy(RECORD)
    del get_holder(told, path)[path[-1]]
    assert len(find_differences(told, RECORD)) >= 1
    assert len(find_differences(RECORD, told)) >= 1


def test_a_number_is_not_the_same_as_its_text() -> None:
    assert find_differences({"gas": "5"}, {"gas": 5}) == ["gas is '5', L1 says 5"]
    assert find_differences({"is_due": 1}, {"is_due": True}) == ["is_due is 1, L1 says True"]


def test_a_whole_story_lacks_nothing() -> None:
    assert find_missing(RECORD) == []


@pytest.mark.parametrize(
    ("path", "value", "lacking"),
    [
        (("liquidations",), [], 1),
        (("withdrawals",), [], 1),
        (("assertions", 0, "is_confirmed"), False, 1),
        (("assertions", 1, "is_confirmed"), True, 1),
        (("lies",), [], 2),
        (("lies", 0, "input", "kind"), "PRICE", 1),
        (("lies", 1, "input", "kind"), "TRADE", 1),
        (("lies", 0, "step"), None, 2),
        (("lies", 0, "outcome", "dead_claims"), [], 2),
        (("lies", 0, "outcome", "is_killed_by_proof"), False, 2),
        (("lies", 0, "outcome", "honest_claims_lost"), 1, 2),
        (("lies", 1, "outcome", "confirmed_node"), None, 2),
    ],
)
def test_what_a_story_lacks_is_named(path: tuple[Any, ...], value: Any, lacking: int) -> None:
    told = copy.deepcopy(RECORD)
    get_holder(told, path)[path[-1]] = value
    assert len(find_missing(told)) == lacking
