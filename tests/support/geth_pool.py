"""The transaction pool of geth, by its rules: what it takes, what it replaces, what it keeps. Pure.

anvil's own pool is kinder: it replaces for 1 % more, takes any size and forgets what a reorg drops. Words and
limits are those of geth's `core/txpool`.
"""

from dataclasses import dataclass
from typing import Any, Final

import rlp
from eth_account import Account

from optimist.base.keccak import keccak

MAX_BYTES: Final = 128 * 1024
MAX_GAS: Final = 1 << 24  # EIP-7825
PRICE_BUMP_PERCENT: Final = 10
ACCOUNT_QUEUE: Final = 64  # transactions of one account behind a gap
MIN_TIP: Final = 1


class PoolRefusal(Exception):
    """The pool does not take a transaction; the text is geth's."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """A transaction that was taken."""

    raw: bytes
    hash: bytes
    sender: bytes
    nonce: int
    tip: int
    max_fee: int
    gas: int
    value: int

    @property
    def cost(self) -> int:
        return self.gas * self.max_fee + self.value


def decode(raw: bytes) -> Pooled:
    """An EIP-1559 transaction. Raises PoolRefusal for any other."""
    if raw[:1] != b"\x02":
        raise PoolRefusal("transaction type not supported")
    fields: list[Any] = rlp.decode(raw[1:])
    number = [int.from_bytes(part, "big") if isinstance(part, bytes) else 0 for part in fields]
    return Pooled(
        raw, keccak(raw), recover_sender(raw), number[1], number[2], number[3], number[4], number[6]
    )


def recover_sender(raw: bytes) -> bytes:
    """Who signed a transaction."""
    return bytes.fromhex(Account.recover_transaction(raw)[2:])


class GethPool:
    """Transactions that wait, by sender and nonce."""

    def __init__(self) -> None:
        self.waiting: dict[bytes, dict[int, Pooled]] = {}
        self.refused: list[str] = []
        self.reserved: set[bytes] = set()  # senders with a blob transaction in the other pool

    def add(self, raw: bytes, *, next_nonce: int, balance: int) -> Pooled:
        """Take a transaction. next_nonce, balance: of its sender on the chain. Raises PoolRefusal."""
        try:
            return self._add(raw, next_nonce, balance)
        except PoolRefusal as refusal:
            self.refused.append(str(refusal))
            raise

    def _add(self, raw: bytes, next_nonce: int, balance: int) -> Pooled:
        if len(raw) > MAX_BYTES:
            raise PoolRefusal(f"oversized data: transaction size {len(raw)}, limit {MAX_BYTES}")
        found = decode(raw)
        if found.gas > MAX_GAS:
            raise PoolRefusal(f"transaction gas limit too high (cap: {MAX_GAS}, tx: {found.gas})")
        if found.max_fee < found.tip:
            raise PoolRefusal("max priority fee per gas higher than max fee per gas")
        if found.tip < MIN_TIP:
            raise PoolRefusal(
                f"transaction gas price below minimum: gas tip cap {found.tip}, minimum needed {MIN_TIP}"
            )
        if found.sender in self.reserved:
            raise PoolRefusal("address already reserved")
        own = self.waiting.setdefault(found.sender, {})
        old = own.get(found.nonce)
        if old is not None and old.hash == found.hash:
            raise PoolRefusal("already known")
        if found.nonce < next_nonce:
            raise PoolRefusal(f"nonce too low: next nonce {next_nonce}, tx nonce {found.nonce}")
        spent = sum(each.cost for each in own.values()) - (old.cost if old else 0)
        if balance < spent + found.cost:
            raise PoolRefusal(
                f"insufficient funds for gas * price + value: balance {balance}, queued cost {spent}, "
                f"tx cost {found.cost}, overshot {spent + found.cost - balance}"
            )
        if old is not None and not is_replacement(old, found):
            raise PoolRefusal("replacement transaction underpriced")
        gap = next_nonce
        while gap in own:
            gap += 1
        if gap < found.nonce and sum(nonce > gap for nonce in own) >= ACCOUNT_QUEUE:
            raise PoolRefusal("account limit exceeded")
        own[found.nonce] = found
        return found

    def find(self, hash_: bytes) -> Pooled | None:
        """A transaction that waits."""
        return next(
            (each for own in self.waiting.values() for each in own.values() if each.hash == hash_), None
        )

    def drop(self, hash_: bytes) -> None:
        """Evict a transaction."""
        found = self.find(hash_)
        if found is not None:
            del self.waiting[found.sender][found.nonce]

    def prune(self, sender: bytes, next_nonce: int) -> None:
        """Forget what can no longer be mined."""
        own = self.waiting.get(sender, {})
        self.waiting[sender] = {nonce: each for nonce, each in own.items() if nonce >= next_nonce}

    def pick(self, sender: bytes, next_nonce: int, base_fee: int) -> list[Pooled]:
        """What a builder can include now: without a gap from `next_nonce` on, each paying the base fee."""
        own, picked = self.waiting.get(sender, {}), []
        while (found := own.get(next_nonce)) is not None and found.max_fee >= base_fee:
            picked.append(found)
            next_nonce += 1
        return picked


def is_replacement(old: Pooled, new: Pooled) -> bool:
    """Whether the offer is enough better, in both fields."""
    return all(
        theirs * 100 >= ours * (100 + PRICE_BUMP_PERCENT)
        for ours, theirs in ((old.max_fee, new.max_fee), (old.tip, new.tip))
    )
