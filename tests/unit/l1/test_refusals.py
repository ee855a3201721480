"""Every refusal that an Ethereum client is known to give, word for word, and what the sender makes of it."""

import pytest

from optimist.l1.refusals import Refusal, read_refusal

MESSAGES = {
    Refusal.KNOWN: [
        "already known",
        "ALREADY_EXISTS: already known",
        "Known transaction",
        "AlreadyKnown",
        "transaction already imported",
        "INTERNAL_ERROR: existing tx with same hash",
    ],
    Refusal.NONCE_USED: [
        "nonce too low: next nonce 12, tx nonce 11",
        "nonce too low",
        "Nonce too low",
        "OldNonce, Current nonce: 12, nonce of rejected tx: 11",
    ],
    Refusal.UNDERPRICED: [
        "replacement transaction underpriced",
        "transaction underpriced",
        "transaction underpriced: tip needed 2, tip permitted 1",
        "transaction gas price below minimum: gas tip cap 1, minimum needed 1000000",
        "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 2",
        "max fee per gas less than block base fee",
        "Transaction gas price below configured minimum gas price",
        "Replacement transaction underpriced",
    ],
    Refusal.NO_PLACE: [
        "txpool is full",
        "Transaction pool is full",
        "account limit exceeded: pooled 16 txs",
        "address already reserved",
        "future transaction tries to replace pending",
        "in-flight transaction limit reached for delegated accounts",
        "gapped-nonce tx from delegated accounts: nonce gap",
        "Transaction nonce is too distant from current sender nonce",
        "NonceTooFarInFuture: too far in the future",
        "exceeds block gas limit",
    ],
    Refusal.NO_FUNDS: [
        "insufficient funds for gas * price + value: balance 1, tx cost 3, overshot 2",
        "insufficient funds for gas * price + value: balance 9, queued cost 7, tx cost 3, overshot 1",
        "Insufficient funds for gas * price + value",
        "InsufficientFunds, Account balance: 1, cumulative cost: 3",
        "transaction would cause overdraft",
    ],
    Refusal.FOR_GOOD: [
        "invalid sender",
        "oversized data: transaction size 131073, limit 131072",
        "transaction gas limit too high (cap: 16777216, tx: 16777217)",
        "intrinsic gas too low: gas 21000, minimum needed 21064",
        "max priority fee per gas higher than max fee per gas",
        "tx fee (2.00 ether) exceeds the configured cap (1.00 ether)",
        "invalid chain id for signer: have 1 want 31337",
        "something that nobody has ever heard of",
    ],
}


@pytest.mark.parametrize(
    ("meaning", "message"), [(meaning, each) for meaning, all_ in MESSAGES.items() for each in all_]
)
def test_words_of_a_refusal_say_what_to_do(meaning: Refusal, message: str) -> None:
    assert read_refusal(message) is meaning


def test_every_meaning_is_in_the_table() -> None:
    assert set(MESSAGES) == set(Refusal)
