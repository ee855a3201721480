"""Step.sol in an EVM of its own: the third face of the machine, and the one that decides."""

import re
from functools import cache
from typing import Any, Final

from pyrevm import EVM, AccountInfo

from devnet.compile import Contract, compile_contracts, read_sources
from optimist.base.keccak import keccak
from optimist.vm.image import Image

SENDER: Final = "0x" + "5e" * 20
CALLER: Final = "0x" + "ca" * 20
STEP: Final = keccak(b"step(bytes32,bytes)")[:4]
BASE_GAS: Final = 21_000  # of any transaction
TOKEN_GAS: Final = 10  # EIP-7623: floor price of a token; a zero byte is one token, any other four

_REVERT = re.compile(r"Revert \{.*output: (0x[0-9a-f]*) \}")


class Reverted(Exception):
    """The contract reverted; `data` is its error, empty when it ran out of gas."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"reverted with 0x{data.hex()}")
        self.data = data

    @property
    def selector(self) -> bytes:
        """First four bytes of the error."""
        return self.data[:4]


@cache
def compile_step() -> Contract:
    """The contract as it stands."""
    return compile_contracts(read_sources("src/vm/Step.sol"))["Step"]


def encode_step(pre: bytes, proof: bytes) -> bytes:
    """Calldata of step(pre, proof)."""
    return STEP + pre + _word(64) + _word(len(proof)) + proof + bytes(-len(proof) % 32)


def compute_floor_gas(calldata: bytes) -> int:
    """What a transaction with this calldata costs at least (EIP-7623)."""
    zeros = calldata.count(0)
    return BASE_GAS + TOKEN_GAS * (zeros + 4 * (len(calldata) - zeros))


class StepContract:
    """Step.sol for one image. `creation` replaces the compiled code (mutants)."""

    def __init__(self, image: Image, creation: bytes | None = None) -> None:
        self._evm: Any = EVM(spec_id="OSAKA")
        self._evm.set_balance(SENDER, 10**30)
        code = compile_step().creation if creation is None else creation
        arguments = image.program_root + image.memory_root + _word(image.entry)
        self._address = self._evm.deploy(SENDER, code + arguments)

    def step(self, pre: bytes, proof: bytes, gas: int | None = None) -> bytes:
        """Hash of the state after the step. Raises Reverted."""
        return self.call(encode_step(pre, proof), gas)

    def call(self, calldata: bytes, gas: int | None = None) -> bytes:
        """What the contract answers. Raises Reverted."""
        try:
            return bytes(
                self._evm.message_call(SENDER, self._address, calldata=calldata, gas=gas, is_static=True)
            )
        except RuntimeError as error:
            found = _REVERT.search(str(error))
            if found is None and "OutOfGas" not in str(error):
                raise
            raise Reverted(bytes.fromhex(found[1][2:]) if found else b"") from error

    def step_with_inner_gas(self, pre: bytes, proof: bytes, gas: int) -> bytes:
        """The same from inside another contract, which gives the step this much gas. Raises Reverted."""
        self._evm.insert_account_info(CALLER, AccountInfo(code=_build_caller(self._address)))
        calldata = _word(gas) + encode_step(pre, proof)
        answer = bytes(self._evm.message_call(SENDER, CALLER, calldata=calldata, is_static=True))
        if answer[31] == 0:
            raise Reverted(answer[32:])
        return answer[32:]

    @property
    def gas_used(self) -> int:
        """Gas of the last call as a whole transaction, by the EVM's own account."""
        used: int = self._evm.result.gas_used
        return used


def _build_caller(address: str) -> bytes:
    """Code of a contract that calls `address` with the gas in its first word and the rest as calldata.

    Returns 1 or 0 for success, then what the call returned.
    """
    return bytes.fromhex(
        "60203603"  # size = CALLDATASIZE - 32
        "806020600037"  # CALLDATACOPY(0, 32, size)
        f"6000600082600073{address[2:]}600035fa"  # STATICCALL(gas, address, 0, size, 0, 0)
        "600052"  # MSTORE(0, success)
        "3d600060203e"  # RETURNDATACOPY(32, 0, RETURNDATASIZE)
        "3d6020016000f3"  # RETURN(0, 32 + RETURNDATASIZE)
    )


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")
