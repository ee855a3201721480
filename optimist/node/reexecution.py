"""A second execution, from what is on L1 or about to go there, before a key signs for it.

Who executes and who signs are parts of one process, with one memory: a batch that was built wrong, or a root
that does not belong to its batch, must not get as far as L1, where it costs a bond. So what is about to be
signed is read back from its bytes and executed once more, on the node's own state.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence

from optimist.base.keccak import keccak
from optimist.node.ledger import Ledger
from optimist.provable import State
from optimist.vm.records import ABSENT, build_state_tree

SLICE = 64  # inputs applied before others get their turn: some milliseconds
KEY_BYTES = 6  # table << 40 | row


class ExecutionMismatch(Exception):
    """A second execution came to another result: sign nothing, and find out which of the two is wrong."""


def compute_effect(state: State, keys: Collection[int]) -> bytes:
    """32 bytes that say what the records `keys` hold now."""
    records = ((key, state.get_bytes(key) or ABSENT) for key in sorted(keys))
    return keccak(b"".join(key.to_bytes(KEY_BYTES, "big") + record for key, record in records))


async def execute(
    law: Callable[[], None], state: State, inputs: Sequence[bytes]
) -> tuple[list[int], set[int]]:
    """Apply inputs to `state`, a slice at a time: their codes, and the keys of the records they stored."""
    codes: list[int] = []
    stored: set[int] = set()
    for start in range(0, len(inputs), SLICE):
        for data in inputs[start : start + SLICE]:
            receipt = state.apply(law, data)
            codes.append(receipt.code)
            stored.update(receipt.keys)
        await asyncio.sleep(0)
    return codes, stored


async def compute_root_again(law: Callable[[], None], ledger: Ledger, batches: Iterable[int]) -> bytes:
    """State root after the last of consecutive `batches`, from the records before them and their inputs.

    Nothing that the ledger has computed of these batches is used: neither their effects nor its tree. Raises
    UnknownBatch when they are not all there.
    """
    numbers = list(batches)
    state = ledger.get_state(numbers[0] - 1)
    inputs = [ledger.get_batch(number).inputs for number in numbers]  # at once: a reorg may come between
    for each in inputs:
        await execute(law, state, each)
    return await asyncio.to_thread(lambda: build_state_tree(dict(state.items())).root)
