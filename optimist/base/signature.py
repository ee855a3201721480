"""secp256k1 signatures as the machine's ECR opcode and the EVM's ecrecover see them, plus the low-s rule."""

from functools import lru_cache

from coincurve import PrivateKey, PublicKey

from optimist.base.keccak import keccak

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HALF_ORDER = CURVE_ORDER // 2  # a signature with a higher s is a malleable twin (EIP-2): recovers to nobody


REMEMBERED = 1 << 14  # recoveries, some 8 MiB


@lru_cache(REMEMBERED)
def recover(digest: bytes, v: int, r: int, s: int) -> int:
    """Address (as an integer) that signed `digest`, or 0 when the signature is not a canonical one.

    Total: any integers are allowed. 0 unless v is 27 or 28, 0 < r < order, 0 < s <= order / 2, and a key
    recovers. The newest answers are remembered: an input is executed several times between a sequencer's door
    and its own node, and nothing in it costs as much.
    """
    if v not in (27, 28) or not 0 < r < CURVE_ORDER or not 0 < s <= HALF_ORDER:
        return 0
    compact = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((v - 27,))
    try:
        key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except ValueError:  # coincurve: r is not the abscissa of a point
        return 0
    return int.from_bytes(keccak(key.format(compressed=False)[1:])[12:], "big")


def sign(digest: bytes, secret: bytes) -> tuple[int, int, int]:
    """Sign a 32-byte digest; returns (v, r, s) with v in 27..28 and low s."""
    compact = PrivateKey(secret).sign_recoverable(digest, hasher=None)
    return compact[64] + 27, int.from_bytes(compact[:32], "big"), int.from_bytes(compact[32:64], "big")


def address_of(secret: bytes) -> bytes:
    """The 20-byte address of a private key."""
    return keccak(PrivateKey(secret).public_key.format(compressed=False)[1:])[12:]
