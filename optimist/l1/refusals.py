"""What a node means when it refuses a transaction. Pure.

JSON-RPC has one code for all of it (-32000), so the words decide. They differ between clients and change
between releases; those here are geth's, reth's, Nethermind's, Besu's, Erigon's and anvil's. Words that nobody
knows are taken for a refusal for good: better a loud error than a transaction that waits for ever.
"""

from enum import Enum
from typing import Final


class Refusal(Enum):
    """What to do about it."""

    KNOWN = "the node has it already: wait"
    NONCE_USED = "something with its nonce is mined: look what"
    UNDERPRICED = "offer more"
    NO_PLACE = "the pool takes no more of this key for now: hand it in again later"
    NO_FUNDS = "somebody has to pay in: hand it in again later"
    FOR_GOOD = "waiting does not mend it"


# In this order: the first match decides ("replacement transaction underpriced: already known" is known).
_WORDS: Final = (
    (Refusal.KNOWN, ("already known", "already imported", "known transaction", "alreadyknown", "same hash")),
    (Refusal.NONCE_USED, ("nonce too low", "nonce is too low", "oldnonce", "nonce_too_low")),
    (
        Refusal.UNDERPRICED,
        (
            "underpriced",
            "below minimum",  # geth: the tip is smaller than the pool's least
            "below configured minimum",
            "feetoolow",
            "fee too low",
            "less than block base fee",
            "base fee",
            "basefee",
        ),
    ),
    (
        Refusal.NO_PLACE,
        (
            "pool is full",
            "account limit",
            "transaction limit",  # in-flight transactions of an account that has delegated itself
            "already reserved",  # another kind of transaction of this key waits (blobs, or an authorization)
            "future transaction tries to replace",
            "discarded",
            "too far in",
            "too distant",
            "nonce gap",
            "exceeds block gas limit",  # of this block; more than any transaction may have is refused before
        ),
    ),
    (Refusal.NO_FUNDS, ("insufficient funds", "insufficient balance", "insufficientfunds", "overdraft")),
)


def read_refusal(message: str) -> Refusal:
    """What the message of a refused eth_sendRawTransaction asks for."""
    text = message.lower()
    for refusal, words in _WORDS:
        if any(word in text for word in words):
            return refusal
    return Refusal.FOR_GOOD
