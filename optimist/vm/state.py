"""The state of the machine between two steps, and its hash.

    running   K(MACHINE | pc:5 | memory root | state root | base root | input hash)       134 bytes
    stopped   K(FINAL | root)                                                            33 bytes

The state root is that of the records as the program has changed them so far, the base root that from before
the input. HALT keeps the first and REJECT the second, and both stop in the same kind of state: whoever
knows the root that an input leads to knows the hash of its last state. Mirrored by
`solidity/src/vm/Machine.sol`.
"""

from dataclasses import dataclass
from typing import Final

from optimist.base.keccak import keccak, tagged
from optimist.base.tags import FINAL, INPUT, MACHINE
from optimist.vm.image import Image
from optimist.vm.isa import PC_BYTES

MACHINE_BYTES: Final = 1 + PC_BYTES + 4 * 32
FINAL_BYTES: Final = 1 + 32


@dataclass(slots=True)
class Machine:
    """A running machine, as its hash commits to it."""

    pc: int
    memory_root: bytes
    state_root: bytes
    base_root: bytes
    input_hash: bytes

    def encode(self) -> bytes:
        """Preimage of the state's hash, its tag included."""
        pc = self.pc.to_bytes(PC_BYTES, "big")
        return bytes((MACHINE,)) + pc + self.memory_root + self.state_root + self.base_root + self.input_hash

    @classmethod
    def decode(cls, preimage: bytes) -> "Machine":
        """Inverse of `encode`, for exactly `MACHINE_BYTES` bytes that begin with the tag."""
        words = [preimage[i : i + 32] for i in range(1 + PC_BYTES, MACHINE_BYTES, 32)]
        return cls(int.from_bytes(preimage[1 : 1 + PC_BYTES], "big"), *words)

    def compute_hash(self) -> bytes:
        """Hash of this state."""
        return keccak(self.encode())


def encode_final_state(root: bytes) -> bytes:
    """Preimage of the hash of a machine that stopped with this root."""
    return bytes((FINAL,)) + root


def compute_final_state(root: bytes) -> bytes:
    """Hash of a machine that stopped with this root."""
    return keccak(encode_final_state(root))


def compute_input_hash(data: bytes) -> bytes:
    """Hash by which the machine, and the Inbox, know an input."""
    return tagged(INPUT, data)


def build_initial_machine(image: Image, state_root: bytes, input_hash: bytes) -> Machine:
    """The machine before the first step of an input."""
    return Machine(image.entry, image.memory_root, state_root, state_root, input_hash)


def compute_initial_state(image: Image, state_root: bytes, input_hash: bytes) -> bytes:
    """Hash of the machine before the first step of an input."""
    return build_initial_machine(image, state_root, input_hash).compute_hash()
