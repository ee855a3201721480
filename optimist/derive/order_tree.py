"""Several orders under one signature: EIP-712 trees of two, four or eight, which a wallet shows whole.

    OrderTree(Order[2][2] orders)Order(...)        four orders; [2] for two, [2][2][2] for eight

EIP-712 hashes a nested array as a Merkle tree of the hashes of its members, so each order can stand alone
with its index and its siblings.
"""

from dataclasses import dataclass
from typing import Any

from optimist.base.keccak import keccak
from optimist.base.signature import recover
from optimist.derive.actions import SignedOrder
from optimist.derive.octets import EncodingError
from optimist.derive.typed_data import Domain, Order, Signature, compute_digest, sign_digest

SIZES = (2, 4, 8)


@dataclass(frozen=True)
class OrderTree:
    """Two, four or eight orders, in the order of the array. Raises EncodingError for another number."""

    orders: tuple[Order, ...]

    def __post_init__(self) -> None:
        if len(self.orders) not in SIZES:
            raise EncodingError(f"a tree holds 2, 4 or 8 orders, not {len(self.orders)}")

    @property
    def depth(self) -> int:
        """1, 2 or 3."""
        return SIZES.index(len(self.orders)) + 1

    def get_levels(self) -> list[list[bytes]]:
        """The hashes of the orders, then of pairs of them, and so on up to the root."""
        levels = [[order.struct_hash() for order in self.orders]]
        while len(levels[-1]) > 1:
            below = levels[-1]
            levels.append([keccak(below[i] + below[i + 1]) for i in range(0, len(below), 2)])
        return levels

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes that a signature covers."""
        return compute_tree_digest(domain, self.depth, self.get_levels()[-1][0])

    def sign(self, domain: Domain, secret: bytes) -> tuple[SignedOrder, ...]:
        """Every order, each with the one signature and its own way up the tree."""
        return self.split(Signature(*sign_digest(self.digest(domain), secret)))

    def split(self, signature: Signature, key: int = 0) -> tuple[SignedOrder, ...]:
        """The same for a signature that was made elsewhere, by the owner or by session key `key`."""
        levels = self.get_levels()
        return tuple(
            SignedOrder(
                order,
                signature,
                key,
                index,
                tuple(levels[level][index >> level ^ 1] for level in range(self.depth)),
            )
            for index, order in enumerate(self.orders)
        )

    def to_wallet(self, domain: Domain) -> dict[str, Any]:
        """The JSON object that `eth_signTypedData_v4` takes."""
        whole = self.orders[0].to_wallet(domain)
        nested: list[Any] = [order.to_wallet(domain)["message"] for order in self.orders]
        while len(nested) > 2:
            nested = [nested[i : i + 2] for i in range(0, len(nested), 2)]
        types = {**whole["types"], "OrderTree": [{"name": "orders", "type": "Order" + "[2]" * self.depth}]}
        return {**whole, "types": types, "primaryType": "OrderTree", "message": {"orders": nested}}


def compute_tree_digest(domain: Domain, depth: int, root: bytes) -> bytes:
    """What is signed for a tree of this depth and root."""
    type_text = f"OrderTree(Order{'[2]' * depth} orders){Order.TYPE}"
    return compute_digest(domain, keccak(keccak(type_text.encode()) + root))


def compute_signed_digest(signed: SignedOrder, domain: Domain) -> bytes:
    """What the signature of an order covers: the order, or the tree that it is shown to belong to."""
    if not signed.siblings:
        return signed.order.digest(domain)
    node = signed.order.struct_hash()
    for level, sibling in enumerate(signed.siblings):
        node = keccak(sibling + node) if signed.index >> level & 1 else keccak(node + sibling)
    return compute_tree_digest(domain, len(signed.siblings), node)


def recover_signer(signed: SignedOrder, domain: Domain) -> bytes:
    """Address of who signed an order; the zero address when the signature is no canonical one."""
    return recover(compute_signed_digest(signed, domain), *signed.signature).to_bytes(20, "big")
