"""Bytes that nobody should have sent, for everything that reads batches: from true ones, spoilt by seed.

    fuzz = DecoderFuzz(seed=7)
    fuzz.run(100_000)          raises AssertionError at the first broken promise; the case is in its message
    print(fuzz.figures)

The promises: no exception but the declared ones; what decodes encodes to the same bytes; what the law accepts
decodes; the law, natively and on the machine, gives the same verdict on any bytes at all.
"""

import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Final

from optimist.derive.actions import Forced, Input
from optimist.derive.batch import (
    INIT_BATCH,
    Batch,
    DerivationError,
    Header,
    SealedBatch,
    build_batch,
    derive_batch,
)
from optimist.derive.decode import decode, decode_forced
from optimist.derive.octets import DecodingError
from optimist.derive.rows import MAX_INPUT_BYTES, decode_rows, encode_rows
from optimist.provable import State
from optimist.sequencer.entries import decode_record, encode_record
from optimist.stf.inputs import ORIGIN_INIT, ORIGIN_SEQUENCED
from optimist.stf.law import get_law, get_program
from optimist.vm.fast import run
from optimist.vm.image import Image
from tests.support.bench import Bench
from tests.support.workload import generate_workload

SEEDS: Final = (100, 101, 102)  # of the workloads that true bytes are taken from
ROWS_AT_MOST: Final = 6
ABSENT: Final = bytes(256)


class DecoderFuzz:
    """One seed, any number of cases. One in `machine_every` inputs also runs on the machine."""

    def __init__(self, seed: int, *, machine_every: int = 100) -> None:
        self.seed = seed
        self.figures: Counter[str] = Counter()
        self._random = Random(seed)
        self._machine_every = machine_every
        self._inputs, self._records = _true_inputs()
        self._journal = _true_journal()
        self._state = State(self._records)
        self._law = get_law("minimal")
        self._spoilers: list[Callable[[bytes], bytes]] = [
            self._flip,
            self._set_byte,
            self._truncate,
            self._strip_front,
            self._append,
            self._insert,
            self._repeat,
            self._swap,
            self._claim_more,
            self._splice,
            self._replace,
        ]
        self.seconds = 0.0

    def run(self, cases: int) -> None:
        """Raises AssertionError with the case that broke a promise."""
        begun = time.perf_counter()
        for case in range(cases):
            turn = case % 8
            try:
                if turn < 3:
                    self._try_rows(self._spoil(self._true_rows()))
                elif turn < 7:
                    self._try_input(self._spoil(self._random.choice(self._inputs)))
                else:
                    self._try_record(self._spoil(self._random.choice(self._journal)))
            except Exception as error:
                error.add_note(f"seed {self.seed}, case {case}: DecoderFuzz({self.seed}).run({case + 1})")
                raise
        self.figures["cases"] += cases
        self.seconds += time.perf_counter() - begun

    # ------------------------------------------------------------------------------------------------ targets

    def _try_rows(self, rows: bytes) -> None:
        try:
            inputs = decode_rows(rows)
        except DecodingError:
            self.figures["rows refused"] += 1
        else:
            self.figures["rows decoded"] += 1
            assert encode_rows(inputs) == rows, rows.hex()
        self._try_batch(rows)

    def _try_batch(self, rows: bytes) -> None:
        """The Inbox commits to whatever it was sent: its accumulator is that of these rows, or another."""
        chosen = self._random
        number = chosen.choice((INIT_BATCH, 2, 7))
        header = Header(number, 5, 9, chosen.choice((0, 0, 1, 2)))
        queue = tuple(chosen.choice(self._inputs) for _ in range(chosen.randrange(3)))
        previous = chosen.randbytes(32)
        expected = self._expect(header, queue, rows, previous)
        accumulator = expected.accumulator if expected and chosen.random() < 0.9 else chosen.randbytes(32)
        told = len(queue) + (chosen.random() < 0.1)
        sealed = SealedBatch(number, accumulator, header.first, header.last, header.mode, 3, told, rows)
        try:
            batch = derive_batch(sealed, queue, previous)
        except DerivationError:
            self.figures["batches refused"] += 1
            return
        self.figures["batches derived"] += 1
        assert expected is not None
        assert batch == expected
        assert batch.accumulator == accumulator

    def _expect(self, header: Header, queue: tuple[bytes, ...], rows: bytes, previous: bytes) -> Batch | None:
        try:
            inputs = decode_rows(rows)
        except DecodingError:
            return None
        if header.batch == INIT_BATCH:
            return Batch(INIT_BATCH, tuple(inputs), previous) if inputs else None
        return build_batch(header, queue, inputs, previous)

    def _try_input(self, data: bytes) -> None:
        typed: Input | None = None
        try:
            typed = decode(data)
        except DecodingError:
            self.figures["inputs refused"] += 1
        if typed is not None:
            self.figures["inputs decoded"] += 1
            assert typed.encode() == data, data.hex()
        if isinstance(typed, Forced):
            try:
                decode_forced(typed.payload)
            except DecodingError:
                self.figures["forced payloads refused"] += 1
            else:
                self.figures["forced payloads decoded"] += 1
        if 1 <= len(data) <= MAX_INPUT_BYTES:  # the Inbox takes no others
            self._try_law(data, is_known=typed is not None)

    def _try_law(self, data: bytes, *, is_known: bool) -> None:
        receipt = self._state.apply(self._law, data)
        self.figures["rejected by the law" if receipt.rejected else "accepted by the law"] += 1
        written = {key: self._state.get_bytes(key) or ABSENT for key in receipt.keys}
        if not receipt.rejected:
            is_ours = data[0] == ORIGIN_SEQUENCED  # the Inbox writes the envelopes of all others itself
            assert is_known or not is_ours, f"the law accepts what nobody can read: {data.hex()}"
            self._state.undo(receipt)
        if self._random.randrange(self._machine_every) == 0:
            machine = run(_image(), self._records, data)
            assert (machine.rejected, machine.code) == (receipt.rejected, receipt.code), data.hex()
            assert machine.writes == written, data.hex()
            self.figures["the same on the machine"] += 1

    def _try_record(self, record: bytes) -> None:
        try:
            entries = list(decode_record(record))
        except DecodingError:
            self.figures["journal records refused"] += 1
            return
        self.figures["journal records decoded"] += 1
        if entries:
            assert encode_record(entries) == record, record.hex()

    # ----------------------------------------------------------------------------------------------- spoiling

    def _true_rows(self) -> bytes:
        sequenced = [data for data in self._inputs if data[0] == ORIGIN_SEQUENCED]
        if self._random.random() < 0.1:
            return encode_rows([data for data in self._inputs if data[0] == ORIGIN_INIT][:1])
        return encode_rows(self._random.choices(sequenced, k=self._random.randint(0, ROWS_AT_MOST)))

    def _spoil(self, data: bytes) -> bytes:
        """One case in sixteen stays true."""
        if self._random.randrange(16) == 0:
            return data
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            data = self._random.choice(self._spoilers)(data)
        return data

    def _at(self, data: bytes) -> int:
        return self._random.randrange(len(data) + 1)

    def _flip(self, data: bytes) -> bytes:
        at = self._at(data)
        return (
            data[:at]
            + bytes(byte ^ 1 << self._random.randrange(8) for byte in data[at : at + 1])
            + data[at + 1 :]
        )

    def _set_byte(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + bytes((self._random.choice((0, 1, 2, 16, 127, 128, 255)),)) + data[at + 1 :]

    def _truncate(self, data: bytes) -> bytes:
        return data[: self._at(data)]

    def _strip_front(self, data: bytes) -> bytes:
        return data[self._at(data) :] if self._random.random() < 0.5 else data[1:]

    def _append(self, data: bytes) -> bytes:
        return data + self._random.randbytes(self._random.randrange(1, 80))

    def _insert(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self._random.randbytes(self._random.randrange(1, 5)) + data[at:]

    def _repeat(self, data: bytes) -> bytes:
        start, end = sorted((self._at(data), self._at(data)))
        return data[:end] + data[start:end] * self._random.randrange(1, 3) + data[end:]

    def _swap(self, data: bytes) -> bytes:
        first, second, third = sorted(self._at(data) for _ in range(3))
        return data[:first] + data[second:third] + data[first:second] + data[third:]

    def _claim_more(self, data: bytes) -> bytes:
        """A length or a count far beyond what is there."""
        at = self._at(data)
        return data[:at] + b"\xff" * self._random.choice((1, 2, 4, 8)) + data[at:]

    def _splice(self, data: bytes) -> bytes:
        other = self._random.choice(self._inputs)
        return data[: self._at(data)] + other[self._at(other) :]

    def _replace(self, data: bytes) -> bytes:
        return self._random.randbytes(self._random.randrange(0, len(data) + 2))


@cache
def _image() -> Image:
    return get_program("minimal").compile().image


@cache
def _true_inputs() -> tuple[list[bytes], dict[int, bytes]]:
    """Inputs of every kind, and a state in which some of them would still be accepted."""
    inputs: list[bytes] = []
    records: dict[int, bytes] = {}
    for seed in SEEDS:
        workload = list(generate_workload(seed).inputs)
        inputs += [data for data in workload if data]
        state = State()
        for data in workload[: len(workload) * 2 // 3]:
            state.apply(get_law("minimal"), data)
        records = dict(state.items())
    return inputs, records


@cache
def _true_journal() -> list[bytes]:
    bench = Bench()
    bench.busy_day()
    bench.keep([bench.engine.seal()[0]])
    return bench.journal
