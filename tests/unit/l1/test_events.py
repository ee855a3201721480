"""The typed events and the codec against the ABI snapshots, and the snapshots against the contracts."""

import types
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast, get_args, get_origin, get_type_hints

import pytest
from eth_abi.abi import encode

from optimist.base.keccak import keccak
from optimist.l1.codec import (
    Entry,
    Parameter,
    decode_revert,
    load_abi,
    load_errors,
    to_snake_case,
)
from optimist.l1.errors import L1Inconsistent
from optimist.l1.events import EVENTS, BatchSealed, EventReader, MatchOpened, NodeCreated
from optimist.l1.types import Log

ADDRESSES = {name: bytes((i,)) * 20 for i, name in enumerate(EVENTS, 1)}


def fits(hint: Any, part: Parameter) -> bool:
    if part.type.endswith("[]"):
        return get_origin(hint) is list and get_args(hint)[0] is bytes and part.type == "bytes32[]"
    if part.components:
        return is_dataclass(hint) and same_fields(hint, part.components)  # type: ignore[arg-type]  # a class here
    simple = {"address": bytes, "bool": bool, "bytes": bytes}
    expected = simple.get(part.type, bytes if part.type.startswith("bytes") else int)
    return hint is expected


def same_fields(cls: type, parts: tuple[Parameter, ...]) -> bool:
    hints = get_type_hints(cls)
    names = [field.name for field in fields(cls)]
    return names == [part.name for part in parts] and all(fits(hints[part.name], part) for part in parts)


@pytest.mark.parametrize("contract", EVENTS)
def test_event_classes_are_exactly_the_events_of_the_contract(contract: str) -> None:
    entries = {entry.name: entry for entry in load_abi(contract).events.values()}
    assert {cls.__name__ for cls in EVENTS[contract]} == set(entries)
    for cls in EVENTS[contract]:
        assert same_fields(cls, entries[cls.__name__].inputs), cls.__name__


def make_log(contract: str, entry: Entry, values: list[Any], address: bytes | None = None) -> Log:
    indexed = [
        encode([part.type], [value]) for part, value in zip(entry.inputs, values, strict=True) if part.indexed
    ]
    plain = [(part, value) for part, value in zip(entry.inputs, values, strict=True) if not part.indexed]
    data = encode([part.type for part, _ in plain], [value for _, value in plain])
    return Log(
        address or ADDRESSES[contract], (entry.selector, *indexed), data, 7, b"\x07" * 32, b"\x08" * 32, 0
    )


def event(contract: str, name: str) -> Entry:
    return next(entry for entry in load_abi(contract).events.values() if entry.name == name)


def test_sealed_batch_reads_back() -> None:
    values = [2, b"\x01" * 32, b"\x02" * 32, 10, 20, 1, 5, 3, b"rows"]
    located = EventReader(ADDRESSES).read(make_log("Inbox", event("Inbox", "BatchSealed"), values))
    assert located.event == BatchSealed(*values)  # type: ignore[arg-type]  # a list of mixed values
    assert (located.contract, located.block.number) == ("Inbox", 7)
    sealed = located.event.to_sealed_batch()
    assert (sealed.accumulator, sealed.queue_count, sealed.rows) == (b"\x01" * 32, 3, b"rows")


@pytest.mark.parametrize(
    ("name", "values", "change"),
    [
        ("BatchSealed", [2, b"\x01" * 32, b"\x02" * 32, 10, 20, 1, 5, 3, b"rows" * 50], {"rows": b""}),
        ("QueueItem", [7, 1_000, b"\x03" * 90], {"input": b""}),
        ("QueueItem", [7, 1_000, b"\x03" * 90], {"input": b"\x04", "enqueued_at": 5}),
    ],
)
def test_log_is_rewritten_to_one_that_reads_as_the_changed_event(
    name: str, values: list[Any], change: dict[str, Any]
) -> None:
    reader = EventReader(ADDRESSES)
    log = make_log("Inbox", event("Inbox", name), values)
    located = reader.read(log)
    assert reader.rewrite(located) == log
    changed: Any = replace(cast("Any", located.event), **change)
    again = reader.read(reader.rewrite(replace(located, event=changed)))
    assert again.event == changed
    assert (again.block, again.log.topics) == (located.block, log.topics)


def test_reserved_word_gets_an_underscore() -> None:
    values = [b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, b"\x04" * 32, 1, 2, b"\x05" * 32, 3, True]
    located = EventReader(ADDRESSES).read(make_log("Rollup", event("Rollup", "NodeCreated"), values))
    assert isinstance(located.event, NodeCreated)
    assert (located.event.from_, located.event.next_full) == (1, True)


def test_nested_structs_become_typed() -> None:
    state = (b"\x01" * 32, 0, 5, 600, 590, 5, 1, True, 2, 3)
    position = (b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, b"\x04" * 32, 9, b"\x05" * 32)
    values = [b"\x0a" * 32, b"\x0b" * 32, b"\x0c" * 32, state, position]
    located = EventReader(ADDRESSES).read(make_log("Dispute", event("Dispute", "MatchOpened"), values))
    assert isinstance(located.event, MatchOpened)
    assert (located.event.state.clock_b, located.event.state.turn_b) == (590, True)
    assert located.event.position.prev == b"\x04" * 32


@pytest.mark.parametrize("fault", ["address", "topic", "topics", "data"])
def test_log_that_is_no_event_of_ours_is_inconsistent(fault: str) -> None:
    good = make_log("Inbox", event("Inbox", "QueueItem"), [1, 2, b"input"])
    bad = {
        "address": Log(b"\x99" * 20, good.topics, good.data, 7, b"\x07" * 32, b"\x08" * 32, 0),
        "topic": Log(good.address, (keccak(b"Other()"),), good.data, 7, b"\x07" * 32, b"\x08" * 32, 0),
        "topics": Log(good.address, good.topics[:1], good.data, 7, b"\x07" * 32, b"\x08" * 32, 0),
        "data": Log(good.address, good.topics, good.data[:-32], 7, b"\x07" * 32, b"\x08" * 32, 0),
    }[fault]
    assert EventReader(ADDRESSES).read(good).contract == "Inbox"
    with pytest.raises(L1Inconsistent):
        EventReader(ADDRESSES).read(bad)


def sample(kind: str) -> Any:
    if kind.startswith("bytes"):
        return b"\x01" * int(kind.removeprefix("bytes") or 5)
    return {"address": b"\xab" * 20, "bool": True}.get(kind, 7)


def test_every_custom_error_decodes_with_its_names_and_values() -> None:
    seen = 0
    for selector, entry in load_errors().items():
        values = [sample(part.type) for part in entry.inputs]
        reverted = decode_revert(selector + encode([part.type for part in entry.inputs], values))
        assert reverted.name == entry.name
        assert list(reverted.arguments) == [part.name for part in entry.inputs]
        seen += 1
    assert seen > 50


def test_selector_means_the_same_error_in_every_contract() -> None:
    for contract in ("Vault", "Inbox", "Rollup", "Dispute"):
        for selector, entry in load_abi(contract).errors.items():
            assert [p.type for p in load_errors()[selector].inputs] == [p.type for p in entry.inputs]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, "Unknown(data=0x)"),
        (b"\x01\x02", "Unknown(data=0x0102)"),
        (bytes.fromhex("4e487b71") + (17).to_bytes(32, "big"), "Panic(code=17)"),
        (bytes.fromhex("08c379a0") + encode(["string"], ["no"]), "Error(message=no)"),
        (bytes.fromhex("08c379a0") + b"\xff", "Unknown(data=0x08c379a0ff)"),
    ],
)
def test_any_revert_data_has_a_reason(data: bytes | None, text: str) -> None:
    assert str(decode_revert(data)) == text


def test_struct_arguments_may_be_mappings_or_sequences() -> None:
    vault = load_abi("Vault")
    record = {"recipient": b"\x01" * 20, "amount": 5, "account": 6, "reason": 1}
    arguments = [b"\x02" * 32, b"\x03" * 32, 4, 9]
    siblings = [bytes(32)] * 48
    named = vault.encode_call("pay", *arguments, record, siblings)
    assert named == vault.encode_call("pay", *arguments, list(record.values()), siblings)
    assert named[:4] == vault.functions["pay"].selector
    plain = types.SimpleNamespace(**record)
    with pytest.raises(TypeError):
        vault.encode_call("pay", *arguments, plain, siblings)
    with pytest.raises(TypeError, match="takes 6 arguments"):
        vault.encode_call("pay", *arguments)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("queueFrom", "queue_from"), ("clockA", "clock_a"), ("from", "from_"), ("MAX_BATCH", "MAX_BATCH")],
)
def test_names(name: str, expected: str) -> None:
    assert to_snake_case(name) == expected
