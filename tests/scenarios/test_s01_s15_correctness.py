"""Scenarios 1 to 15: the truth is found, whatever the lie is about and however it is told."""

import json
import re
from collections.abc import Sequence

import pytest

from challenger.game.lists import History
from challenger.game.types import Stage
from challenger.strategy import acts
from challenger.trace.alphabet import AlphabetProvider, LetterState
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.base.presets import PRESETS
from optimist.derive.commitments import compute_leaf
from optimist.prove.law import load_law
from optimist.vm.state import compute_final_state
from optimist.vm.step import step
from optimist.vm.walker import Walker
from tests.actors.actor import assert_hero_won, play
from tests.actors.honest import Hero
from tests.actors.liars import GarbageCommitter, Liar, Vulture
from tests.actors.mempool import Helper
from tests.lint.tree import REPOSITORY
from tests.support.alphabet_liar import (
    EndlessLiar,
    GarbageLiar,
    PaddingLiar,
    RestartLiar,
    StepLiar,
    TornLiar,
)
from tests.support.arena import address
from tests.support.compiled_programs import History as ProgramHistory
from tests.support.machine_cases import CELLS, make_cases
from tests.support.machine_faces import step_everywhere
from tests.support.plays import (
    count_steps,
    get_disputed_input,
    get_padding_proven,
    get_proven,
    play_out,
)
from tests.support.scene import E1, E2, HONEST, PARAMETERS, SLOT, Scene, T
from tests.support.step_contract import Reverted, StepContract
from tests.support.step_gas import CASES, FULL_LEVELS, SNAPSHOT, build_machine
from tests.support.world import build_init

BOTH_TURNS = pytest.mark.parametrize("honest_first", [True, False], ids=["honest first", "liar first"])
FIRST, LAST = 1, 4  # inputs of the range in dispute
BLOCK_GAS = 16_777_216  # EIP-7825: no transaction may use more, whatever a block holds


@pytest.fixture
def scene() -> Scene:
    return Scene()


@BOTH_TURNS
def test_s01_a_lie_in_the_last_step_of_the_last_input_is_found_there(
    scene: Scene, honest_first: bool
) -> None:
    last_step = count_steps(scene, LAST) - 1
    lie = scene.lie(LAST, last_step)
    claims = scene.begin(lie, honest_first=honest_first)
    play_out(scene, lie)
    (proven,) = get_proven(scene)
    assert (get_disputed_input(scene, claims), proven.step) == (LAST - FIRST, last_step)
    scene.assert_truth_wins()


@BOTH_TURNS
def test_s02_a_lie_in_the_first_step_of_the_first_input_is_found_there(
    scene: Scene, honest_first: bool
) -> None:
    lie = scene.lie(FIRST, 0)
    claims = scene.begin(lie, honest_first=honest_first)
    play_out(scene, lie)
    (proven,) = get_proven(scene)
    assert (get_disputed_input(scene, claims), proven.step) == (0, 0)
    opening = scene.truth.openings[FIRST]
    parent = scene.arena.state.nodes[scene.base].end
    assert compute_leaf(opening.root, opening.batch, opening.rest) == parent  # the parent's own
    assert proven.pre == LetterState(0, opening.root, opening.root, opening.input_hash).hash
    scene.assert_truth_wins()


def reveal_a_false_history_of_the_truth(scene: Scene, player: bytes) -> None:
    """A claim on the true end over garbage."""
    assert scene.claim(player, scene.truth) == ""
    claim = scene.claim_id(player, scene.truth)
    words = (keccak(b"1"), keccak(b"2"), keccak(b"3"), scene.truth.get_history(1, 2).last_end)
    assert scene.reveal_words(player, claim, words) == ""


def test_s03_the_true_end_over_a_false_history_is_no_rival_and_harmless(scene: Scene) -> None:
    reveal_a_false_history_of_the_truth(scene, E1)
    scene.claim(HONEST, scene.truth)
    scene.reveal(HONEST, scene.truth)
    honest, other = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.truth)
    assert scene.open(E1, honest, other, honest) == "NotRivals"
    assert scene.arena.play(E1, acts.TimeoutReveal(honest, other)) == "NotRivals"
    assert scene.arena.state.rounds[scene.base].live_ends == 1
    scene.at(T)
    assert scene.arena.play(E1, acts.Confirm(scene.node(scene.truth))) == ""
    assert [scene.arena.play(player, acts.Withdraw()) for player in (E1, HONEST)] == ["", ""]


def test_s03_it_can_lose_only_itself_to_a_liar(scene: Scene) -> None:
    reveal_a_false_history_of_the_truth(scene, E1)
    play(scene, [Liar(account=E2), Hero()], until=lambda: scene.is_out(E1) or scene.confirmed() != ZERO)
    scene.assert_truth_wins()
    assert scene.is_out(E2)


def test_s04_a_true_history_cannot_be_revealed_for_a_false_end(scene: Scene) -> None:
    scene.claim(E1, scene.x)
    claim = scene.claim_id(E1, scene.x)
    true = scene.truth.get_history(1, 2).words(2, 0)
    assert scene.reveal_words(E1, claim, true) == "WrongEnd"
    scene.claim(HONEST, scene.truth)
    honest = scene.claim_id(HONEST, scene.truth)
    scene.at(T - 1)
    assert scene.arena.play(E2, acts.TimeoutReveal(claim, honest)) == "TooEarly"
    scene.at(T)
    assert scene.arena.play(E2, acts.TimeoutReveal(claim, honest)) == ""
    assert scene.is_out(E1)
    scene.assert_truth_wins()


@BOTH_TURNS
def test_s04_nor_does_it_help_to_change_its_last_end(scene: Scene, honest_first: bool) -> None:
    lie = TornLiar(PARAMETERS, scene.inputs, 2)
    scene.begin(lie, honest_first=honest_first)
    play_out(scene, lie)
    assert scene.count(acts.Dissect, by=E1) == 0
    scene.assert_truth_wins()


@pytest.mark.parametrize("with_words", [False, True], ids=["no history", "garbage history"])
def test_s05_an_end_that_nothing_leads_to_dies_by_the_clock(scene: Scene, with_words: bool) -> None:
    liar = GarbageCommitter() if with_words else Liar(lambda s: GarbageLiar(PARAMETERS, s.inputs))
    seconds = play(scene, [liar, Hero()])  # and nobody else
    assert_hero_won(scene)
    assert scene.is_out(E1)
    assert seconds <= T + PARAMETERS.grace + 3 * SLOT
    assert get_proven(scene) == []
    assert scene.count(acts.Timeout if with_words else acts.TimeoutReveal, by=HONEST) == 1


def test_s06_a_false_trace_is_led_to_its_first_false_step(scene: Scene) -> None:
    steps = count_steps(scene, 2)
    assert steps > 3
    for at_step in range(steps):
        story = Scene()
        lie = story.lie(2, at_step)
        claims = story.begin(lie, honest_first=at_step % 2 == 0)
        play_out(story, lie)
        (proven,) = get_proven(story)
        assert (get_disputed_input(story, claims), proven.step) == (1, at_step)
        assert proven.lost_a != proven.lost_b


# -------------------------------------------------------------------------------------------------------- s07

ABSENT, SECOND, PASSER_BY = address(21), address(22), address(23)


def test_s07_an_owner_who_is_absent_at_the_machine_loses_its_claim_only(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    claims = scene.begin(lie, honest_first=False, player=ABSENT)
    absent, evil = claims
    scene.advance_to(lie, claims, lambda match: match.height == 1 and match.stage is Stage.INPUTS)
    commits = [a for a in scene.arena.plan(ABSENT, scene.truth).acts if isinstance(a, acts.CommitTrace)]
    assert scene.arena.play(PASSER_BY, commits[0]) == "NotMover"  # a trace is its owner's to commit to
    scene.at(SLOT)
    play(scene, [Helper(PASSER_BY, ABSENT), Vulture(E1, claims), Hero()], until=lambda: scene.is_out(ABSENT))
    assert scene.second == T
    assert scene.arena.state.claims[evil].credit == PARAMETERS.bond // 10  # won from the absent …
    assert scene.confirmed() == ZERO
    play(scene, [Hero()])
    assert_hero_won(scene)
    assert scene.second <= T + PARAMETERS.grace + 3 * SLOT
    assert scene.is_out(E1)
    assert scene.arena.play(E1, acts.ClaimCredit(evil)) == "NotConfirmed"  # … and never paid
    assert scene.arena.state.claims[absent].pot == PARAMETERS.bond * 40 // 100


def test_s07_an_operator_can_stand_in_for_it(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    claims = scene.begin(lie, honest_first=True, player=ABSENT)
    own = claims[0]
    assert scene.arena.play(ABSENT, acts.SetOperator(own, SECOND)) == ""
    while not scene.is_out(E1):
        scene.arena.look_and_act(E1, lie)
        scene.arena.look_and_act(SECOND, scene.truth, owners={ABSENT})
        scene.at(scene.second + SLOT)
        assert scene.second < 2 * T
    assert not scene.is_out(ABSENT)
    assert scene.count(acts.CommitTrace, by=SECOND) + scene.count(acts.CommitSecondTrace, by=SECOND) > 0


# -------------------------------------------------------------------------------------------------------- s08


class HastyLiar(StepLiar):
    """Its machine stops one step too early, in another state."""

    def get_trace(self, start: int, position: int) -> History:
        number = self.batches[start].cumulative + position
        true = AlphabetProvider.get_trace(self, start, position)
        if number != self.target:
            return true
        return History(true.arity, true.height, [*true.ends[:-2], compute_final_state(self.roots[number])])


@BOTH_TURNS
@pytest.mark.parametrize("kind", [EndlessLiar, HastyLiar, RestartLiar])
def test_s08_a_machine_that_stops_too_early_or_never_is_proven_wrong(
    scene: Scene, kind: type[StepLiar], honest_first: bool
) -> None:
    lie = kind(PARAMETERS, scene.inputs, 2, 0)
    scene.begin(lie, honest_first=honest_first)
    play_out(scene, lie)
    (proven,) = get_proven(scene)
    steps = count_steps(scene, 2)
    assert proven.step == {EndlessLiar: steps - 1, HastyLiar: steps - 2, RestartLiar: steps}[kind]
    scene.assert_truth_wins()


@pytest.mark.parametrize("preset", ["minimal", "mainnet"])
def test_s08_no_input_of_the_law_can_outlast_its_trace(preset: str) -> None:
    parameters = PRESETS[preset]
    assert load_law(preset).compiled.bound <= parameters.k**parameters.h2


# -------------------------------------------------------------------------------------------------------- s09


@BOTH_TURNS
def test_s09_past_the_last_input_the_chain_decides_without_the_machine(honest_first: bool) -> None:
    scene = Scene(rows=[[b"\x05a", b"\x05b"]])  # three inputs, a range of four
    lie = PaddingLiar(PARAMETERS, scene.inputs, batch=2, position=3)
    scene.begin(lie, honest_first=honest_first)
    play_out(scene, lie)
    assert get_proven(scene) == []
    (decided,) = get_padding_proven(scene)
    assert decided.position == 3
    assert scene.count(acts.CommitTrace) == 0
    scene.assert_truth_wins()


# -------------------------------------------------------------------------------------------------------- s10


def fight(scene: Scene, lies: Sequence[AlphabetProvider]) -> None:
    """Two liars, each asking L1 who is right."""
    for player, lie in zip((E1, E2), lies, strict=True):
        scene.claim(player, lie)
    for _ in range(12):
        for player, lie in zip((E1, E2), lies, strict=True):
            scene.arena.look_and_act(player, lie)


def test_s10_of_two_lies_about_different_inputs_the_earlier_dies_and_neither_is_confirmed(
    scene: Scene,
) -> None:
    early, late = scene.lie(1, 0, salt=3), scene.lie(3, 0, salt=4)
    fight(scene, (early, late))
    assert (scene.is_out(E1), scene.is_out(E2)) == (True, False)
    winner = scene.claim_id(E2, late)
    assert scene.arena.state.claims[winner].credit >= PARAMETERS.bond // 10
    scene.assert_truth_wins()
    assert scene.is_out(E2)
    assert scene.arena.play(E2, acts.ClaimCredit(winner)) == "NotConfirmed"


def test_s10_of_two_lies_about_one_step_both_die_and_nobody_has_won(scene: Scene) -> None:
    fight(scene, (scene.x, scene.y))
    assert scene.is_out(E1)
    assert scene.is_out(E2)
    (proven,) = get_proven(scene)
    assert (proven.lost_a, proven.lost_b) == (True, True)
    assert all(claim.credit == 0 for claim in scene.arena.state.claims.values())
    scene.claim(HONEST, scene.truth)
    scene.assert_truth_wins()


# ------------------------------------------------------------------------------------------------ s11 and s12

MALFORMED = (
    b"",
    b"\x05",
    b"\x05garbage",
    b"\xff" * 1024,
    b"\x05\x00\x00\x00\x00\x01\x02" + b"\x00" * 300,  # a trade of zeros: no signature, wrong length
    b"\x05\x00\x00\x00\x00\x01\x63rest",  # a kind that does not exist
)


def test_s11_malformed_inputs_change_nothing_and_every_step_of_them_can_be_executed() -> None:
    law = load_law("minimal")
    contract = StepContract(law.image)
    genesis = ProgramHistory("genesis", law.image, (build_init().encode(), *MALFORMED))
    roots: list[bytes] = []
    for walker in genesis.walk():
        is_first, steps = not roots, 0
        while not walker.has_stopped:
            if is_first:
                walker.advance()
            else:
                step_everywhere(law.image, contract, walker)
                steps += 1
        roots.append(walker.compute_hash())
        if not is_first:
            assert steps > 0
            assert walker.is_rejected
            step_everywhere(law.image, contract, walker)  # and once more: it has stopped
    assert len(roots) == 1 + len(MALFORMED)
    assert len(set(roots)) == 1  # FINAL of the root that INIT left


def test_s12_the_step_is_total_for_every_opcode_and_every_cause_of_rejection() -> None:
    image, cases = make_cases(12, CELLS)
    contract, seen = StepContract(image), set()
    for case in cases:
        stepped = step_everywhere(image, contract, case.walker)  # a revert would be an error here
        seen.add((case.op, case.cause))
        assert stepped.post != stepped.pre
    assert seen == set(CELLS)


# ------------------------------------------------------------------------------------------------ s13 and s14


def get_to_the_proof(scene: Scene) -> tuple[tuple[bytes, bytes], acts.Prove]:
    """A match in which one step is left to be executed, the honest side on turn."""
    lie = scene.lie(2, 1)
    claims = scene.begin(lie, honest_first=True)
    scene.advance_to(lie, claims, lambda match: match.stage is Stage.STEPS and match.height == 1)
    (prove,) = [act for act in scene.arena.plan(HONEST, scene.truth).acts if isinstance(act, acts.Prove)]
    return claims, prove


def test_s13_a_false_witness_reverts_and_the_clock_goes_on(scene: Scene) -> None:
    claims, prove = get_to_the_proof(scene)
    before = scene.match(*claims)
    for at in range(0, len(prove.proof), 7):
        spoilt = prove.proof[:at] + bytes([prove.proof[at] ^ 1]) + prove.proof[at + 1 :]
        assert scene.arena.play(HONEST, acts.Prove(prove.fork, spoilt)) == "FalseWitness"
    assert scene.arena.play(HONEST, acts.Prove(prove.fork, prove.proof[:-1])) == "FalseWitness"
    assert scene.match(*claims) == before
    scene.stage.compare()
    undo = scene.stage.remember()
    scene.arena.now = before.last + before.clocks[before.turn] - 1
    assert scene.arena.play(HONEST, prove) == ""
    assert scene.is_out(E1)
    undo()
    scene.arena.now += 1
    assert scene.arena.play(HONEST, prove) == "Late"
    assert scene.arena.play(E1, acts.Timeout(before.claims)) == ""
    assert scene.is_out(HONEST)  # false proofs have bought no time


def test_s14_a_proof_that_runs_out_of_gas_decides_nothing(scene: Scene) -> None:
    _, prove = get_to_the_proof(scene)
    contracts, outcomes = scene.stage.contracts, []
    for gas in range(22_000, 260_000, 3_000):
        undo = scene.stage.remember()
        outcomes.append(scene.stage.try_with_gas(HONEST, prove, gas))
        assert contracts.read("Rollup", "getStaker", E1)["out"] == outcomes[-1], gas
        assert not contracts.read("Rollup", "getStaker", HONEST)["out"], gas
        undo()
    assert outcomes == sorted(outcomes), "more gas never makes it fail"
    assert outcomes[0] is False
    assert outcomes[-1] is True


def test_s14_a_precompile_without_gas_is_no_bad_signature() -> None:
    """63/64: the signature check gets less than the step has. It must never pass for one that failed."""
    image, tree, records, data = build_machine(FULL_LEVELS, 12)
    contract, answers = StepContract(image), set()
    walker = Walker(image, tree, records, data)
    walker.core.pc = list(CASES).index("ECR")
    pre, proof = walker.compute_hash(), walker.prove()
    expected = step(pre, proof, image.program_root)
    for gas in range(1_000, 60_000, 250):
        try:
            answers.add(contract.step_with_inner_gas(pre, proof, gas))
        except Reverted:
            answers.add(b"")
    assert answers == {b"", expected}


def test_s15_steps_have_room_for_dearer_gas() -> None:
    costs = json.loads(SNAPSHOT.read_text())
    assert 3 * costs["ceiling"]["beyond"] <= BLOCK_GAS // 5
    game = json.loads((REPOSITORY / "solidity/snapshots/game-gas.json").read_text())
    dearest = max(int(gas) for name, gas in game.items() if "whole" not in name and "appendBatch" not in name)
    assert 3 * dearest <= BLOCK_GAS // 5


def test_s15_no_contract_counts_on_a_price_of_gas() -> None:
    fixed = re.compile(r"gas\s*:|(?<!OutOfGas\()gasleft\(|\.transfer\(|\.send\(|\bgas\(\)\s*[-*/]")
    for path in sorted((REPOSITORY / "solidity" / "src").rglob("*.sol")):
        code = re.sub(r"//.*", "", path.read_text())
        assert not fixed.search(code), f"{path.name} fixes an amount of gas"
