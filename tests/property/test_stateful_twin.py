"""Twin and contracts under the same calls, chosen by Hypothesis: same outcomes, same state after each call.

Functions and custom errors are those of the compiled ABI: a new one that no rule reaches fails these tests. A
failure prints the steps that lead to it, shrunk, and the line that replays its seed.
"""

import os
from typing import ClassVar, Final

import pytest
from hypothesis import Phase

from optimist.l1.codec import load_abi
from tests.support.spoiling import Cut
from tests.support.stateful import (
    REPLAY,
    choose_seeds,
    describe,
    find_rare,
    get_errors,
    get_functions,
    play,
)
from tests.support.twin_machine import TwinMachine
from tests.support.twin_table import Tally

CONTRACTS: Final = ("Rollup", "Dispute")
MACHINE: Final = "AlphabetStep"  # its own error comes through Dispute.prove; for those of Step: tests/parity
UNREACHABLE: Final = {
    "BadParameter": "constructors alone revert with it; test_constructor_… in solidity/test deploys badly",
    "OtherDispute": "the Dispute's constructor alone; Constructors.t.sol deploys a second one",
    "ClaimExists": "a staker's last claim is its deepest, so WrongBranch comes first; Rollup.t.sol forges it",
}
# Which function refuses with which errors, as the contracts read, and why the rest cannot be met here.
PLAYABLE: Final = "UnknownMatch ClaimNotLive RoundClosed Late WrongStage WrongLength WrongPosition"
FORKED: Final = f"{PLAYABLE} NoDifference"
REFUSALS: Final = {
    "Rollup.stake": "StakerOut AlreadyStaked WrongBond",
    "Rollup.withdraw": "NotStaked ClaimUndecided",  # TransferFailed: here a contract cannot send; see forge
    "Rollup.setOperator": "ClaimNotLive NotOwner ZeroAddress",
    "Rollup.assertState": "NotStaked UnknownNode RoundClosed UnexpectedRange RangeNotSealed WrongHistory "
    "WrongBranch TooEarly JoinClosed",
    "Rollup.reveal": "ClaimNotLive NotOwner AlreadyRevealed WrongLength WrongEnd",
    "Rollup.timeoutReveal": "ClaimNotLive RoundClosed NotRivals AlreadyRevealed TooEarly",
    "Rollup.prune": "ClaimNotLive StakerNotOut RoundClosed",
    "Rollup.confirm": "UnknownNode ParentUnconfirmed RoundClosed NotSoleEnd TooEarly",
    "Rollup.claimCredit": "NotConfirmed StakerOut NoCredit TransferFailed",
    "Rollup.eliminate": "NotDispute",
    "Rollup.refund": "NotDispute",
    "Dispute.openMatch": "NotOrdered NotInMatch MatchExists ClaimNotLive RoundClosed NotRivals NotRevealed",
    "Dispute.dissect": f"{FORKED} WrongList WrongEnd",
    "Dispute.commitTrace": f"{FORKED} NotMover Padding WrongLeaf WrongInput WrongEnd",
    "Dispute.commitSecondTrace": f"{PLAYABLE} NotMover WrongLeaf WrongEnd",
    "Dispute.provePadding": f"{FORKED} NotPadding",
    "Dispute.prove": f"{FORKED} FalseWitness",
    "Dispute.timeout": "UnknownMatch ClaimNotLive NotLate",  # the round of live rivals is open
    "Dispute.collect": "NotMover NothingToCollect StakerOut EmptyPot",
}


def get_all_functions() -> set[str]:
    """Every function of the game that changes something, and the sealing of batches."""
    return set().union(*map(get_functions, CONTRACTS)) | {"Inbox.appendBatch"}


def get_all_errors() -> set[str]:
    """Every custom error that those functions could revert with."""
    own = set().union(*map(get_errors, CONTRACTS))
    real_machine = {entry.name for entry in load_abi("Step").errors.values()}
    return (own | get_errors(MACHINE) - real_machine) - UNREACHABLE.keys()


def get_refusals() -> set[str]:
    """All pairs of function and error."""
    return {f"{function} {error}" for function, errors in REFUSALS.items() for error in errors.split()}


def play_all(machine: type[TwinMachine], seeds: range) -> None:
    """Play seed after seed; what is found is not shrunk."""
    for number in seeds:
        play(number, machine, phases=(Phase.generate,))


def play_until(functions: int, errors: int, seeds: range) -> Tally:
    """Play seed after seed until each function has landed and each error was met so many times."""
    TwinMachine.tally = tally = Tally()
    wanted = dict.fromkeys(get_all_functions(), functions), dict.fromkeys(get_all_errors(), errors)
    for number in seeds:
        play(number, TwinMachine)
        if not find_rare(tally, *wanted):
            break
    assert find_rare(tally, *wanted) == {}
    assert tally.functions.keys() == get_all_functions()
    assert tally.errors.keys() == get_all_errors(), "an error is not in the ABI, or not unreachable"
    assert not (new := tally.places.keys() - get_refusals()), f"the table does not know {new}"
    return tally


@pytest.mark.timeout(600)
def test_every_function_and_error_is_the_same_in_both(capsys: pytest.CaptureFixture[str]) -> None:
    tally = play_until(functions=20, errors=1, seeds=choose_seeds(60))
    with capsys.disabled():
        print(f"\n{describe(tally)}")


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_every_function_and_error_is_the_same_in_both_many_times(capsys: pytest.CaptureFixture[str]) -> None:
    tally = play_until(functions=1000, errors=50, seeds=choose_seeds(2000))
    with capsys.disabled():
        print(f"\n{describe(tally)}")
    assert not (never := get_refusals() - tally.places.keys()), f"never met: {never}"


@pytest.mark.skipif(REPLAY not in os.environ, reason=f"replays the seed in ${REPLAY}")
@pytest.mark.timeout(600)
def test_one_seed() -> None:
    play(int(os.environ[REPLAY]), TwinMachine)


PLANTED: Final = {
    "other shares of a lost bond": Cut("lost * POT_PERCENT // 100", "lost * POT_PERCENT // 99"),
    "confirmed a second late": Cut(
        'if now < ripe:\n            raise Revert("TooEarly", now, ripe)\n        asked.',
        'if now <= ripe:\n            raise Revert("TooEarly", now, ripe)\n        asked.',
    ),
    "checks in another order": Cut(
        "        self._require_range(asked.to, expected_to, expected_acc)\n"
        "        self._require_branch(staker, parent)\n",
        "        self._require_branch(staker, parent)\n"
        "        self._require_range(asked.to, expected_to, expected_acc)\n",
    ),
    "no window for the incumbent": Cut("asked.rival_at + period if node_id == asked.incumbent else", ""),
    "born once and for all": Cut(
        "if node.live == 0:\n            node.born = now",
        "if node.live == 0:\n            node.born = node.born or now",
    ),
    "a bounty though both are wrong": Cut(
        "ZERO if lost[side.other] else match.claims[side.other]", "match.claims[side.other]"
    ),
    "a child with any end": Cut("if following[-1] != end:", "if False:"),
    "a refund again and again": Cut("match.moves = (0, match.moves[1])", "match.moves = match.moves"),
    "anybody commits": Cut(
        'if not self.rollup.may_move(claim_id, sender):\n            raise Revert("NotMover"',
        'if False:\n            raise Revert("NotMover"',
    ),
    "pruned though decided": Cut("        self._require_open(self.state.nodes[claim.node].parent)\n", ""),
}


FOUND_SOON: Final = ("other shares of a lost bond", "confirmed a second late", "checks in another order")


@pytest.mark.parametrize("difference", FOUND_SOON)
def test_a_planted_difference_is_found(difference: str) -> None:
    assert_found(difference)


@pytest.mark.long
@pytest.mark.parametrize("difference", sorted(PLANTED.keys() - set(FOUND_SOON)))
@pytest.mark.timeout(1200)
def test_a_hidden_difference_is_found(difference: str) -> None:
    assert_found(difference)


def assert_found(difference: str) -> None:
    class Spoilt(TwinMachine):
        cuts: ClassVar[tuple[Cut, ...]] = (PLANTED[difference],)

    with pytest.raises(AssertionError, match="twin"):
        play_all(Spoilt, range(60))
