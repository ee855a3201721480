"""Scenarios 43 to 48: upgrades, bad data of one's own, ranges, vanished data, empty rounds, restarts."""

import re
from collections.abc import Iterator

import pytest

from challenger.chain.reading import read_game
from challenger.strategy import acts
from challenger.strategy.strategy import compute_plan
from challenger.strategy.view import Facts
from challenger.trace.alphabet import AlphabetProvider
from devnet.compile import Contract
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.derive.batch import derive_batch
from optimist.l1.events import BatchSealed
from tests.actors.actor import Transaction, assert_hero_won, play
from tests.actors.honest import Amnesiac, Hero, Misled
from tests.actors.liars import Liar
from tests.lint.tree import REPOSITORY
from tests.support.mirror import START, compile_game
from tests.support.plays import get_proven
from tests.support.scene import E1, E2, HONEST, PARAMETERS, SLOT, Scene, T
from tests.support.step_contract import compile_step

CONTRACTS = ("Vault", "Inbox", "Rollup", "Dispute")  # those that are called, and write
DAY = 86_400
BOND = PARAMETERS.bond


@pytest.fixture
def scene() -> Scene:
    return Scene()


def get_deployed() -> dict[str, Contract]:
    """All five contracts of a rollup, as the compiler leaves them."""
    return {**{name: compile_game()[name] for name in CONTRACTS}, "Step": compile_step()}


def read_opcodes(code: bytes) -> Iterator[int]:
    """The instructions of a contract, without what they push and without the compiler's note at the end."""
    end = len(code) - int.from_bytes(code[-2:], "big") - 2
    at = 0
    while at < end:
        yield code[at]
        at += 1 + (code[at] - 0x5F if 0x60 <= code[at] <= 0x7F else 0)


# -------------------------------------------------------------------------------------------------------- s43

REPLACING = {0xF0: "CREATE", 0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xF5: "CREATE2", 0xFF: "SELFDESTRUCT"}


def test_s43_no_contract_can_replace_its_code_or_run_that_of_another() -> None:
    for name, contract in get_deployed().items():
        found = [REPLACING[op] for op in read_opcodes(contract.runtime) if op in REPLACING]
        assert found == [], name


def test_s43_no_parameter_and_no_address_is_in_storage() -> None:
    """What decides a dispute is in the code: immutable, for every dispute alike."""
    for name, contract in get_deployed().items():
        layout = contract.storage
        kinds = {entry["label"]: layout["types"][entry["type"]]["encoding"] for entry in layout["storage"]}
        counters = {"batchCount", "queueLength", "queueNext", "held", "nextAccount"}
        plain = {label for label, encoding in kinds.items() if encoding != "mapping"}
        assert plain <= counters, (name, plain)


def test_s43_every_function_that_changes_anything_is_in_the_protocols_table() -> None:
    text = (REPOSITORY / "docs/PROTOCOL.md").read_text().partition("## 8. Who may call what")[2]
    listed: dict[str, set[str]] = {name: set() for name in CONTRACTS}
    contract = ""
    for first, names in re.findall(r"^\| (\w*) ?\| ([\w, ]+?) \|", text, re.MULTILINE):
        contract = first or contract
        if contract in listed:
            listed[contract] |= set(names.split(", "))
    for name in CONTRACTS:
        entries = [e for e in compile_game()[name].abi if e["type"] == "function"]
        changing = {e["name"] for e in entries if e["stateMutability"] in ("nonpayable", "payable")}
        assert changing == listed[name], name


# ------------------------------------------------------------------------------------------------ s44 and s45


def test_s44_a_challenger_with_bad_data_loses_its_own_bond_and_nothing_else(scene: Scene) -> None:
    """What keeps it from there, before the bond, is the gate of the player: see docs/SCENARIOS.md."""
    misled = Misled(E2)
    scene.claim(E1, scene.truth)  # the proposer; the challenger takes it for a liar
    seconds = play(scene, [misled, Hero()])
    assert scene.is_out(E2)
    assert_hero_won(scene)
    assert not scene.is_out(E1)
    assert seconds <= T + 4 * SLOT + PARAMETERS.grace
    assert scene.stage.get_profit(E2) == -BOND
    assert scene.stage.get_profit(HONEST) >= 0


@pytest.mark.parametrize("to", [0, 1, 3, 5, 2**64 - 1])
def test_s45_a_range_is_the_contracts_not_the_claimants(scene: Scene, to: int) -> None:
    scene.arena.play(E1, acts.Stake())
    root = keccak(b"any root")
    accumulator = scene.truth.batches[min(to, 5)].accumulator
    assert scene.arena.play(E1, acts.AssertState(scene.base, root, to, accumulator)) == "UnexpectedRange"
    assert scene.stage.get_profit(E1) == 0
    assert scene.arena.state.rounds[scene.base].live_ends == 0


def test_s45_the_count_of_inputs_is_the_inboxs(scene: Scene) -> None:
    batches = scene.truth.batches
    node = scene.base
    for _ in range(3):
        to = scene.arena.state.rounds[node].to
        count = scene.stage.contracts.read("Rollup", "inputCount", node)
        assert count == batches[to].cumulative - batches[scene.arena.state.nodes[node].batch].cumulative
        assert 0 < count <= PARAMETERS.max_inputs
        assert scene.claim(E1, scene.truth, node) == ""
        node = scene.node(scene.truth, node)
    with pytest.raises(AssertionError, match="TooManyInputs"):
        scene.seal(*[b"\x05x"] * PARAMETERS.max_inputs)  # with its header one too many


# ------------------------------------------------------------------------------------------------ s46 and s47


def test_s46_no_contract_looks_at_a_blob() -> None:
    """Not applicable as it stands elsewhere: batches are calldata, and calldata is not pruned with blobs."""
    blob = {0x49, 0x4A}  # BLOBHASH, BLOBBASEFEE
    for name, contract in get_deployed().items():
        assert not blob & set(read_opcodes(contract.runtime)), name


def test_s46_months_later_a_dispute_is_played_from_events_alone(scene: Scene) -> None:
    scene.at(90 * DAY)
    previous, inputs = ZERO, []
    for located in scene.stage.contracts.read_events():
        if isinstance(located.event, BatchSealed):
            batch = derive_batch(located.event.to_sealed_batch(), (), previous)
            previous = batch.accumulator
            inputs.append(list(batch.inputs))
    assert inputs == scene.inputs
    scene.inputs = inputs  # the hero below knows nothing else
    play(scene, [Liar(lambda s: s.lie(3, 1), joins=90 * DAY), Amnesiac()], until=lambda: scene.is_out(E1))
    assert len(get_proven(scene)) == 1
    scene.assert_truth_wins()


def test_s47_a_round_that_has_lost_all_its_claims_takes_the_next_one(scene: Scene) -> None:
    for player, lie in ((E1, scene.x), (E2, scene.y)):
        scene.claim(player, lie)
    for _ in range(12):
        for player, lie in ((E1, scene.x), (E2, scene.y)):
            scene.arena.look_and_act(player, lie)
    assert (scene.is_out(E1), scene.is_out(E2)) == (True, True)
    asked = scene.arena.state.rounds[scene.base]
    assert (asked.live_ends, asked.xor_live) == (0, ZERO)
    scene.at(3 * T)
    for lie in (scene.x, scene.y):
        assert scene.arena.play(E1, acts.Confirm(scene.node(lie))) == "NotSoleEnd"
    assert scene.claim(HONEST, scene.truth) == ""
    truth = acts.Confirm(scene.node(scene.truth))
    scene.at(4 * T - 1)
    assert scene.arena.play(HONEST, truth) == "TooEarly"
    scene.at(4 * T)
    assert scene.arena.play(HONEST, truth) == ""
    assert scene.arena.play(HONEST, acts.Withdraw()) == ""


# -------------------------------------------------------------------------------------------------------- s48


class KilledAfterEveryAct(Hero):
    """Lands one act and is killed; starts again, knowing the events of the contracts and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.lives = 0

    def look(self, scene: Scene) -> Iterator[Transaction]:
        if scene.second % SLOT:
            return
        for _ in range(20):
            wanted = self.think(scene)
            fresh = [act for act in wanted if (HONEST, act) not in _get_landed_now(scene)]
            if not fresh:
                return
            yield from self.send(fresh[0])

    def think(self, scene: Scene) -> list[acts.Act]:
        """A new process: it reads everything anew."""
        self.lives += 1
        told = read_game(
            scene.stage.contracts.read_events(),
            arity=scene.parameters.arity,
            genesis_time=START,
            count_inputs=lambda batch: scene.arena.state.batches[batch].cumulative,
        )
        facts = Facts(scene.parameters, told.state, scene.arena.now, told.lists, told.disputed)
        return compute_plan(facts, AlphabetProvider(scene.parameters, scene.inputs), HONEST).acts


def _get_landed_now(scene: Scene) -> list[tuple[bytes, acts.Act]]:
    """What was tried in this second, landed or refused: L1 has answered it."""
    return [(who, act) for now, who, act, _ in scene.arena.log if now == scene.arena.now]


def test_s48_killed_after_every_act_it_ends_where_it_would_have_ended() -> None:
    ends: list[tuple[object, ...]] = []
    times = []
    for hero in (Hero(), KilledAfterEveryAct()):
        scene = Scene()
        seconds = play(scene, [Liar(lambda s: s.lie(2, 0)), hero])
        assert_hero_won(scene)
        assert scene.count(acts.Stake, by=HONEST) == 1
        play(scene, [hero], until=lambda: scene.second >= seconds + 3 * SLOT)  # noqa: B023 - called at once
        own = scene.arena.state.claims[scene.claim_id(HONEST, scene.truth)]
        ends.append((own.top, scene.is_out(E1), scene.stage.get_profit(HONEST, E1), scene.confirmed()))
        times.append(seconds)
        if isinstance(hero, KilledAfterEveryAct):
            assert hero.lives > 10
    assert ends[0] == ends[1]
    assert abs(times[0] - times[1]) <= 2 * SLOT
