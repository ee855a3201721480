"""Who signed: the address behind a signature in the input, over an EIP-712 struct of this rollup."""

from optimist.provable import b32, eip712_digest, input_b32, input_uint, recover_signer, u16, u160
from optimist.stf.inputs import SIGNATURE_R_AT, SIGNATURE_S_AT, SIGNATURE_V_AT


def recover_at(domain: b32, struct_hash: b32, at: u16) -> u160:
    """The signer of a struct whose signature begins at `at`; 0 when it is no signature."""
    return recover_signer(
        eip712_digest(domain, struct_hash),
        input_uint(at + SIGNATURE_V_AT, 1),
        input_b32(at + SIGNATURE_R_AT),
        input_b32(at + SIGNATURE_S_AT),
    )
