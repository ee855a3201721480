"""Calldata of our contracts, there and back."""

import pytest

from optimist.l1.codec import load_abi
from optimist.l1.errors import L1Inconsistent


def test_calldata_decodes_to_what_was_encoded() -> None:
    inbox, words = load_abi("Inbox"), [bytes([number]) * 32 for number in range(2)]
    data = inbox.encode_call("appendBatch", *words, 3, 4, 5, b"rows")
    assert inbox.decode_call(data) == (
        "appendBatch",
        {
            "prev_acc": words[0],
            "expected_acc": words[1],
            "queue_count": 3,
            "first": 4,
            "last": 5,
            "rows": b"rows",
        },
    )


def test_calldata_of_another_contract_is_none_of_ours() -> None:
    data = load_abi("Inbox").encode_call("sealPublic", 1)
    assert load_abi("Vault").decode_call(data) is None
    assert load_abi("Vault").decode_call(b"") is None


def test_calldata_that_is_cut_short_is_refused() -> None:
    data = load_abi("Inbox").encode_call("sealPublic", 1)
    with pytest.raises(L1Inconsistent, match="31 bytes are not"):
        load_abi("Inbox").decode_call(data[:-1])
