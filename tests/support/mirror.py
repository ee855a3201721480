"""The game twice at once: every act goes to the pure twin and to the real contracts, and both must agree.

The contracts run in an EVM of their own around the toy machine, with the real Vault and Inbox. After each act
the outcomes are compared, errors by name; `compare` holds the whole states against each other.
"""

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any, Final

from pyrevm import EVM, BlockEnv

from challenger.calls import compute_call
from challenger.chain.reading import read_game
from challenger.game.types import Batch, Parameters
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES
from devnet.compile import Contract, compile_contracts, read_sources
from devnet.deploy import encode_creation
from devnet.wallet import compute_create_address
from optimist.base.keccak import tagged
from optimist.base.merkle import ZERO
from optimist.base.tags import POSITION
from optimist.derive.actions import Header, Init, MarketParameters
from optimist.derive.batch import Batch as DerivedBatch
from optimist.derive.rows import encode_rows
from optimist.l1.codec import Abi, decode_revert
from optimist.l1.events import EventReader, Located
from optimist.l1.types import Log
from tests.support.arena import Arena

START: Final = 1_700_000_000  # s
SEQUENCER: Final = b"\x5e" * 20
DEPLOYER: Final = b"\xde" * 20
BACKSTOP: Final = b"\xba" * 20
_REVERT: Final = re.compile(r"Revert \{.*output: (0x[0-9a-f]*) \}")
_SOURCES: Final = (
    "src/dispute/Dispute.sol",
    "src/rollup/Rollup.sol",
    "src/inbox/Inbox.sol",
    "src/vault/Vault.sol",
    "src/devnet/TestToken.sol",
    "test/support/AlphabetStep.sol",
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


class Contracts:
    """The real contracts in an EVM."""

    def __init__(self, parameters: Parameters, max_batch: int) -> None:
        self.bond = parameters.bond
        self.now = START
        self._evm: Any = EVM(spec_id="OSAKA")
        self._funded: set[bytes] = set()
        self._logs: list[Log] = []
        self._set_time()
        compiled = compile_game()
        self.abis = {name: Abi(name, compiled[name].abi) for name in ("Inbox", "Rollup", "Dispute")}
        token = self._deploy("TestToken")
        step = self._deploy("AlphabetStep")
        self._fund(DEPLOYER)
        nonce = self._evm.basic(_hex(DEPLOYER)).nonce
        names = ("Vault", "Inbox", "Rollup", "Dispute")
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
                    "maxDeposit": 10**13,
                    "maxTotal": 10**13,
                },
            ),
            "Inbox": (
                {
                    "vault": self.addresses["Vault"],
                    "sequencer": SEQUENCER,
                    "maxBatch": max_batch,
                    "maxQueueItems": max_batch - 1,
                    "forcedDeadline": 10**6,
                    "maxDelay": 10**6,
                    "drift": 60,
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

    def read_events(self) -> list[Located]:
        """Every event of the contracts, as a node would read them."""
        reader = EventReader(self.addresses)
        known = set(reader.addresses)
        return [reader.read(entry) for entry in self._logs if entry.address in known]

    def play(self, sender: bytes, act: acts.Act) -> str:
        """Send one act; the name of the custom error, or nothing when it landed."""
        call = compute_call(act, self.bond)
        return self._call(sender, call.contract, call.function, call.arguments, call.value)

    def read(self, contract: str, function: str, *arguments: Any) -> Any:
        """What a view function answers."""
        data = self.abis[contract].encode_call(function, *arguments)
        answer = self._evm.message_call(
            _hex(DEPLOYER), _hex(self.addresses[contract]), calldata=data, is_static=True
        )
        return self.abis[contract].decode_result(function, bytes(answer))

    def get_balance(self, contract: str) -> int:
        """Wei that a contract holds."""
        return int(self._evm.get_balance(_hex(self.addresses[contract])))

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
            return decode_revert(bytes.fromhex(found[1][2:])).name
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
        address = bytes.fromhex(self._evm.deploy(_hex(DEPLOYER), code)[2:])
        self._keep_logs()
        return address

    def _fund(self, account: bytes) -> None:
        if account not in self._funded:
            self._evm.set_balance(_hex(account), 10**30)
            self._funded.add(account)

    def _set_time(self) -> None:
        self._evm.set_block_env(BlockEnv(timestamp=self.now))


class MirrorArena(Arena):
    """An arena whose every act also goes to the contracts. `successes` counts acts that landed in both."""

    def __init__(self, parameters: Parameters, batches: list[list[bytes]], max_batch: int) -> None:
        """`batches`: the sequenced inputs of batch 2 and later; byte 0 of each must be 5."""
        self.contracts = Contracts(parameters, max_batch)
        init = DerivedBatch(1, (self.contracts.init.encode(),), ZERO)
        self.inputs: list[list[bytes]] = [list(init.inputs)]
        super().__init__(parameters, MACHINE_RULES, [Batch(ZERO, ZERO, 0), _sealed(init, 0)], START)
        self.base_fee = 0  # pyrevm calls contracts at base fee 0, whatever its block says
        for number, rows in enumerate(batches, start=2):
            header = Header(number, START, START)
            last = self.state.batches[-1]
            batch = DerivedBatch(number, (header.encode(), *rows), last.accumulator)
            self.contracts.append_batch(batch, header, rows)
            self.inputs.append(list(batch.inputs))
            self.state.batches.append(_sealed(batch, last.cumulative))
        self.successes: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    def play(self, sender: bytes, act: acts.Act) -> str:
        """Play it twice. Raises AssertionError when the twin and the contracts disagree."""
        self.contracts.set_time(self.now)
        ours = super().play(sender, act)
        theirs = self.contracts.play(sender, act)
        assert ours == theirs, (
            f"{type(act).__name__}: the twin says {ours!r}, the contracts {theirs!r}\n{act}"
        )
        if ours:
            self.refusals[f"{type(act).__name__} {ours}"] += 1
        else:
            self.successes[type(act).__name__] += 1
        return ours

    def compare(self) -> None:
        """The whole state, word by word."""
        state, read = self.state, self.contracts.read
        for node_id, node in state.nodes.items():
            expect(
                read("Rollup", "getNode", node_id),
                {
                    "parent": node.parent,
                    "end": node.end,
                    "batch": node.batch,
                    "created_at": node.created_at,
                    "born": node.born,
                    "live": node.live,
                },
            )
        for round_id, asked in state.rounds.items():
            expect(
                read("Rollup", "getRound", round_id),
                {
                    "to": asked.to,
                    "full": asked.full,
                    "live_ends": asked.live_ends,
                    "rival_at": asked.rival_at,
                    "until": asked.until,
                    "decided_at": asked.decided_at,
                    "xor_live": asked.xor_live,
                    "incumbent": asked.incumbent,
                    "confirmed": asked.confirmed,
                },
            )
        for claim_id, claim in state.claims.items():
            expect(
                read("Rollup", "getClaim", claim_id),
                {
                    "owner": claim.owner,
                    "revealed_at": claim.revealed_at,
                    "status": claim.status,
                    "operator": claim.operator,
                    "credit": claim.credit,
                    "pot": claim.pot,
                    "node": claim.node,
                    "top": claim.top,
                },
            )
            assert read("Rollup", "isLive", claim_id) == self.rollup.is_live(claim_id)
        for address, staker in state.stakers.items():
            found = read("Rollup", "getStaker", address)
            assert (found["bond"], found["out"]) == (staker.bond, staker.out)
            assert found["last_claim"] == staker.last_claim
        for match_id, match in state.matches.items():
            position = match.position
            expect(
                read("Dispute", "getMatch", match_id),
                {
                    "position": tagged(
                        POSITION,
                        position.round,
                        *position.nodes,
                        position.prev,
                        position.batch.to_bytes(8, "big"),
                        position.rest,
                    ),
                    "start": match.start,
                    "last": match.last,
                    "clock_a": match.clocks[0],
                    "clock_b": match.clocks[1],
                    "height": match.height,
                    "stage": match.stage,
                    "turn_b": bool(match.turn),
                    "moves_a": match.moves[0],
                    "moves_b": match.moves[1],
                },
            )
        assert self.contracts.get_balance("Rollup") == state.balance + state.burnt

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


def expect(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    """Both say the same, field by field."""
    differing = {name: (theirs[name], value) for name, value in ours.items() if theirs[name] != value}
    assert not differing, f"(contracts, twin) differ: {differing}"
    assert theirs.keys() == ours.keys()


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
