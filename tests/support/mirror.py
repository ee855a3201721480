"""The game twice at once: every act goes to the pure twin and to the real contracts, and both must agree.

The contracts run in an EVM of their own around the toy machine, with the real Vault and Inbox. After each act
the outcomes are compared, errors by name; `compare` holds the whole states against each other.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from pyrevm import EVM, AccountInfo, BlockEnv

from challenger.calls import Call, compute_call
from challenger.chain.reading import read_game
from challenger.game.types import Batch, Parameters, Revert
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES
from devnet.compile import Contract, compile_contracts, read_sources
from optimist.base.merkle import ZERO
from optimist.derive.actions import Header, Init, MarketParameters
from optimist.derive.batch import Batch as DerivedBatch
from optimist.derive.rows import encode_rows
from optimist.l1.codec import Abi, decode_revert
from optimist.l1.creation import compute_create_address, encode_creation
from optimist.l1.events import EventReader, Located
from optimist.l1.types import Log
from tests.support.arena import Arena
from tests.support.whole_state import compare_predicates_and_absences, compare_whole_state

START: Final = 1_700_000_000  # s
SEQUENCER: Final = b"\x5e" * 20
DEPLOYER: Final = b"\xde" * 20
BACKSTOP: Final = b"\xba" * 20
WEALTH: Final = 10**30  # wei
_DEPLOYER: Final = "0x" + DEPLOYER.hex()
_REVERT: Final = re.compile(r"Revert \{.*output: (0x[0-9a-f]*) \}")
_SOURCES: Final = (
    "src/dispute/Dispute.sol",
    "src/rollup/Rollup.sol",
    "src/inbox/Inbox.sol",
    "src/vault/Vault.sol",
    "src/devnet/TestToken.sol",
    "test/support/AlphabetStep.sol",
    "test/support/ManyReads.sol",
)
_MARKET: Final = MarketParameters(
    size_decimals=8,
    lot=1,
    initial_margin_ppm=100_000,
    maintenance_margin_ppm=50_000,
    maker_fee_ppm=0,
    taker_fee_ppm=0,
    liquidation_penalty_ppm=0,
    max_position=10**9,
)


@cache
def compile_game() -> dict[str, Contract]:
    """The contracts of the game and the toy machine."""
    return compile_contracts(read_sources(*_SOURCES))


@dataclass(frozen=True, slots=True)
class Limits:
    """Parameters of Inbox and Vault; the game itself needs none of them to be tight."""

    max_batch: int  # inputs
    max_queue_items: int
    forced_deadline: int = 10**6  # s
    max_delay: int = 10**6  # s
    drift: int = 60  # s
    max_deposit: int = 10**13  # 1e-6 USD
    max_total: int = 10**13


class Contracts:
    """The real contracts in an EVM."""

    def __init__(self, parameters: Parameters, limits: Limits) -> None:
        self.bond = parameters.bond
        self.now = START
        self._evm: Any = EVM(spec_id="OSAKA")
        self._funded: set[bytes] = set()
        self._logs: list[Log] = []
        self._set_time()
        compiled = compile_game()
        names = ("Vault", "Inbox", "Rollup", "Dispute")
        self.abis = {name: Abi(name, compiled[name].abi) for name in (*names, "TestToken")}
        self._machine_errors = Abi("AlphabetStep", compiled["AlphabetStep"].abi).errors
        token = self._deploy("TestToken")
        step = self._deploy("AlphabetStep")
        self._many_reads = _hex(self._deploy("ManyReads"))
        self._fund(DEPLOYER)
        nonce = self._evm.basic(_DEPLOYER).nonce
        self.addresses = {name: compute_create_address(DEPLOYER, nonce + i) for i, name in enumerate(names)}
        self.init = Init(
            chain_id=1,
            vault=self.addresses["Vault"],
            second=START,
            backstop_owner=BACKSTOP,
            quorum=1,
            future_tolerance=0,
            trade_heartbeat=0,
            liquidation_heartbeat=0,
            liquidation_buffer_ppm=0,
            silence=1,
            window=1,
            signers=(b"\x51" * 20,),
            markets=(_MARKET,),
        )
        arguments: dict[str, tuple[Any, ...]] = {
            "Vault": (
                {
                    "token": token,
                    "inbox": self.addresses["Inbox"],
                    "rollup": self.addresses["Rollup"],
                    "backstopOwner": BACKSTOP,
                    "maxDeposit": limits.max_deposit,
                    "maxTotal": limits.max_total,
                },
            ),
            "Inbox": (
                {
                    "vault": self.addresses["Vault"],
                    "sequencer": SEQUENCER,
                    "maxBatch": limits.max_batch,
                    "maxQueueItems": limits.max_queue_items,
                    "forcedDeadline": limits.forced_deadline,
                    "maxDelay": limits.max_delay,
                    "drift": limits.drift,
                    "initBody": self.init.encode_body(),
                },
            ),
            "Rollup": (
                {
                    "inbox": self.addresses["Inbox"],
                    "dispute": self.addresses["Dispute"],
                    "k": parameters.arity,
                    "h1": parameters.input_height,
                    "h2": parameters.step_height,
                    "challengePeriod": parameters.challenge_period,
                    "grace": parameters.grace,
                    "minPeriod": parameters.min_period,
                    "bond": parameters.bond,
                },
            ),
            "Dispute": (self.addresses["Rollup"], step, parameters.gas_price_cap),
        }
        for name in names:
            assert self._deploy(name, *arguments[name]) == self.addresses[name]
        self.addresses["TestToken"] = token

    def set_time(self, now: int) -> None:
        """Time of the next calls."""
        self.now = now
        self._set_time()

    def append_batch(self, batch: DerivedBatch, header: Header, rows: list[bytes]) -> None:
        """Seal a batch of sequenced inputs."""
        error = self._call(
            SEQUENCER,
            "Inbox",
            "appendBatch",
            (batch.previous_accumulator, batch.accumulator, 0, header.first, header.last, encode_rows(rows)),
        )
        assert error == "", error

    @property
    def event_count(self) -> int:
        """Logs so far."""
        return len(self._logs)

    def read_events(self, since: int = 0) -> list[Located]:
        """Every event of the contracts, as a node would read them; those of the logs from `since` on."""
        reader = EventReader(self.addresses)
        known = set(reader.addresses)
        return [reader.read(entry) for entry in self._logs[since:] if entry.address in known]

    def send(self, sender: bytes, call: Call) -> str:
        """Send one call; the name of the custom error, or nothing when it landed."""
        return self._call(sender, call.contract, call.function, call.arguments, call.value)

    def read(self, contract: str, function: str, *arguments: Any) -> Any:
        """What a view function answers."""
        abi = self.abis[contract]
        data = abi.encode_call(function, *arguments)
        answer = self._evm.message_call(
            _DEPLOYER, _hex(self.addresses[contract]), calldata=data, is_static=True
        )
        return abi.decode_result(function, bytes(answer))

    def read_many(self, reads: Iterable[tuple[str, bytes]]) -> bytes:
        """What getters answer, undecoded, one after the other; each is (contract, selector and one word)."""
        calldata = b"".join(self.addresses[contract] + data.ljust(36, b"\0") for contract, data in reads)
        return bytes(self._evm.message_call(_DEPLOYER, self._many_reads, calldata=calldata, is_static=True))

    def get_balance(self, contract: str) -> int:
        """Wei that a contract holds."""
        return self.get_wealth(self.addresses[contract])

    def get_wealth(self, account: bytes) -> int:
        """Wei of an account; everybody begins with `WEALTH` when he first calls."""
        return int(self._evm.get_balance(_hex(account)))

    def install(self, account: bytes, code: bytes) -> None:
        """Turn an account into a contract. From then on it cannot be the sender of a call."""
        balance = self.get_wealth(account)
        nonce = self._evm.basic(_hex(account)).nonce
        self._evm.insert_account_info(_hex(account), AccountInfo(nonce=nonce, code=code))
        self._evm.set_balance(_hex(account), balance)

    def rewind(self) -> None:
        """Back to the last call of `mark`."""
        self._evm.revert(self._mark[0])
        self._logs, self._funded = self._logs[: self._mark[1]], set(self._mark[2])
        self.mark()

    def mark(self) -> None:
        """Remember this state."""
        self._mark = (self._evm.snapshot(), len(self._logs), frozenset(self._funded))

    def _call(
        self, sender: bytes, contract: str, function: str, arguments: tuple[Any, ...], value: int = 0
    ) -> str:
        self._fund(sender)
        data = self.abis[contract].encode_call(function, *arguments)
        try:
            self._evm.message_call(_hex(sender), _hex(self.addresses[contract]), calldata=data, value=value)
        except RuntimeError as error:
            found = _REVERT.search(str(error))
            if found is None:
                raise
            data = bytes.fromhex(found[1][2:])
            known = self._machine_errors.get(data[:4])
            return decode_revert(data).name if known is None else known.name
        self._keep_logs()
        return ""

    def _keep_logs(self) -> None:
        for entry in self._evm.result.logs:
            topics, data = entry.data
            where = bytes.fromhex(entry.address[2:])
            number = len(self._logs)
            self._logs.append(Log(where, tuple(topics), bytes(data), number, ZERO, ZERO, number))

    def _deploy(self, name: str, *arguments: Any) -> bytes:
        self._fund(DEPLOYER)
        code = encode_creation(compile_game()[name], arguments)
        address = bytes.fromhex(self._evm.deploy(_DEPLOYER, code)[2:])
        self._keep_logs()
        return address

    def _fund(self, account: bytes) -> None:
        if account not in self._funded:
            self._evm.set_balance(_hex(account), WEALTH)
            self._funded.add(account)

    def _set_time(self) -> None:
        self._evm.set_block_env(BlockEnv(timestamp=self.now))


class MirrorArena(Arena):
    """An arena whose every act also goes to the contracts. `successes` counts acts that landed in both."""

    def __init__(
        self,
        parameters: Parameters,
        batches: list[list[bytes]],
        max_batch: int,
        limits: Limits | None = None,
    ) -> None:
        """`batches`: the sequenced inputs of batch 2 and later; byte 0 of each must be 5."""
        self.contracts = Contracts(parameters, limits or Limits(max_batch, max_batch - 1))
        init = DerivedBatch(1, (self.contracts.init.encode(),), ZERO)
        self.inputs: list[list[bytes]] = [list(init.inputs)]
        super().__init__(parameters, MACHINE_RULES, [Batch(ZERO, ZERO, 0), _sealed(init, 0)], START)
        self.base_fee = 0  # pyrevm calls contracts at base fee 0, whatever its block says
        self.successes: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.sealed_at = [0, START]  # by batch: the last second of its inputs
        self.refusing: set[bytes] = set()  # accounts that take no ether
        for rows in batches:
            self.seal(rows)

    def seal(self, rows: list[bytes]) -> list[bytes]:
        """Seal a batch of sequenced inputs now; all of its inputs."""
        last = self.state.batches[-1]
        header = Header(self.state.batch_count + 1, self.now, self.now)
        batch = DerivedBatch(header.batch, (header.encode(), *rows), last.accumulator)
        self.contracts.set_time(self.now)
        self.contracts.append_batch(batch, header, rows)
        self.inputs.append(list(batch.inputs))
        self.sealed_at.append(header.last)
        self.state.batches.append(_sealed(batch, last.cumulative))
        return self.inputs[-1]

    def play(self, sender: bytes, act: acts.Act) -> str:
        """Play it twice. Raises AssertionError when the twin and the contracts disagree."""
        ours = super().play(sender, act)
        return self._expect(type(act).__name__, ours, sender, compute_call(act, self.parameters.bond))

    def play_call(self, sender: bytes, call: Call, rule: Callable[[], object]) -> str:
        """A call that is no act of any player; `rule` is what the twin makes of it."""
        ours = ""
        try:
            rule()
        except Revert as revert:
            ours = revert.name
        return self._expect(call.function, ours, sender, call)

    def _expect(self, name: str, ours: str, sender: bytes, call: Call) -> str:
        self.contracts.set_time(self.now)
        theirs = self.contracts.send(sender, call)
        assert ours == theirs, f"{name}: the twin says {ours!r}, the contracts {theirs!r}\n{call}"
        if ours:
            self.refusals[f"{name} {ours}"] += 1
        else:
            self.successes[name] += 1
        return ours

    def _apply(self, sender: bytes, act: acts.Act) -> None:
        """As the twin has it; but a payment to an account that takes none undoes the call."""
        if not isinstance(act, acts.ClaimCredit) or act.claim not in self.state.claims:
            return super()._apply(sender, act)
        claim, before = self.state.claims[act.claim], (self.state.balance, self.paid_out)
        credit = claim.credit
        super()._apply(sender, act)
        if claim.owner in self.refusing:
            (self.state.balance, self.paid_out), claim.credit = before, credit
            raise Revert("TransferFailed", claim.owner, credit)
        return None

    def compare(self) -> None:
        """The whole state, word by word."""
        compare_whole_state(self.rollup, self.contracts, self.sealed_at)

    def compare_predicates_and_absences(self) -> None:
        """What follows from the state, and what is not there."""
        compare_predicates_and_absences(self.rollup, self.contracts)

    def compare_events(self) -> None:
        """Who knows nothing but the events knows everything."""
        told = read_game(
            self.contracts.read_events(),
            arity=self.parameters.arity,
            genesis_time=START,
            count_inputs=lambda batch: self.state.batches[batch].cumulative,
        )
        told.state.rounds.pop(ZERO)  # where genesis is confirmed; the twin has no such round
        for name in ("batches", "nodes", "rounds", "claims", "matches", "stakers", "balance", "burnt"):
            expect_equal(name, getattr(told.state, name), getattr(self.state, name))
        assert told.lists.items() <= self.lists.items()
        assert told.disputed == self.disputed
        assert self.contracts.get_balance("Dispute") == 0


def expect_equal(name: str, told: Any, ours: Any) -> None:
    """The events tell the same as the twin."""
    if isinstance(ours, dict):
        assert told.keys() == ours.keys(), name
        for key, value in ours.items():
            assert told[key] == value, f"{name}: the events tell {told[key]}, the twin says {value}"
    assert told == ours, name


def _sealed(batch: DerivedBatch, before: int) -> Batch:
    return Batch(batch.accumulator, batch.head, before + len(batch.inputs))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def scale(parameters: Parameters, seconds: int) -> Parameters:
    """The same parameters with a tick of so many seconds."""
    return replace(
        parameters,
        challenge_period=parameters.challenge_period * seconds,
        grace=parameters.grace * seconds,
        min_period=parameters.min_period * seconds,
    )
