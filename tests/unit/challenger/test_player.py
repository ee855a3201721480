"""What a player does when an act of its fails: for good, or at one endpoint out of several."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

import challenger.player
import challenger.refusals
from challenger.chain.reading import Game
from challenger.game.types import Parameters
from challenger.gate import Objection
from challenger.player import Conduct, Player
from challenger.strategy import acts
from challenger.strategy.modes import DEFEND
from challenger.strategy.order import Priority, Rank
from challenger.strategy.strategy import Plan, Proposal
from optimist.l1.contracts import Contract
from optimist.l1.errors import Reverted, RpcError
from optimist.l1.types import BlockRef, Receipt
from optimist.store.journal import JournalBroken
from tests.support.waiting import until_true

ID = b"\x22" * 32
CONTRACTS = {name: Contract.named(name, b"\x01" * 20) for name in ("Rollup", "Dispute")}
TIMEOUT = Proposal(acts.Timeout((ID, ID)), DEFEND.rules[0], Priority(Rank.RIVALS))
CLAIM = Proposal(acts.AssertState(ID, ID, 1, ID), DEFEND.rules[0], Priority(Rank.FIRST))


class Doomed:
    """A node that has nothing new; a sender and a gate whose disk has failed."""

    head = BlockRef(7, ID)
    address = b"\x05" * 20
    is_caught_up = True
    timestamp = 1
    events = ()
    ledger = SimpleNamespace(get_input_count=None)

    async def advance(self) -> bool:
        return False

    async def send(self, call: Any) -> Any:
        del call
        raise JournalBroken("failed before: open it again to learn what it holds")

    async def find_objection(self, wanted: acts.AssertState) -> Any:
        del wanted
        raise JournalBroken("failed before")


@pytest.mark.parametrize("proposal", [TIMEOUT, CLAIM], ids=["act", "gate"])
def test_what_a_broken_disk_ends_ends_the_player(monkeypatch: pytest.MonkeyPatch, proposal: Proposal) -> None:
    """Else it would plan for ever, and nothing that it wants would ever be sent."""
    doomed: Any = Doomed()
    monkeypatch.setattr(challenger.player, "compute_plan", lambda *_, **__: Plan([proposal]))

    async def inside() -> None:
        gate = doomed if proposal is CLAIM else None
        player = Player(doomed, doomed, CONTRACTS, doomed, Parameters(), doomed, Conduct(gate=gate))
        monkeypatch.setattr(player, "_genesis_time", 1)
        with pytest.raises(JournalBroken, match="failed before"):
            await asyncio.wait_for(player.play(0.001), 5)
        await player.close()

    asyncio.run(inside())


async def play_until(player: Player, poll: float, is_enough: Callable[[], bool]) -> None:
    """Play until it holds; fails when it does not, or when the player ends by itself."""
    playing = asyncio.create_task(player.play(poll))
    await until_true(is_enough)
    assert not playing.done()
    playing.cancel()
    await player.close()


class Evil(Doomed):
    """An endpoint that shows L1 as it is, refuses whatever would change it, and names no balance."""

    turns = 0

    def turn_to_next(self) -> None:
        self.turns += 1

    async def send(self, call: Any) -> Any:
        del call
        raise Reverted("Late", {})

    spent = 0

    def count(self, spent: int) -> None:
        pass

    async def allow(self, *_: Any) -> Any:
        raise RpcError("eth_getBalance", -32601, "the method does not exist")


def test_endpoint_that_refuses_all_that_is_due_is_told_and_turned_away_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each refusal alone looks like a race that somebody else has won: nothing to do, says the handbook."""
    evil: Any = Evil()
    monkeypatch.setattr(challenger.player, "compute_plan", lambda *_, **__: Plan([TIMEOUT]))
    monkeypatch.setattr(challenger.player, "PATIENCE", 0.05)
    monkeypatch.setattr(challenger.refusals, "PATIENCE", 0.05)

    async def inside() -> Player:
        player = Player(evil, evil, CONTRACTS, evil, Parameters(), evil)
        monkeypatch.setattr(player, "_genesis_time", 1)
        await play_until(player, 0.001, lambda: evil.turns > 1)
        return player

    begun = time.monotonic()
    with capture_logs() as logs:
        player = asyncio.run(inside())
    (alarm,) = [line for line in logs if line["event"] == "alarm"]
    assert "goes on refusing what it lets us do (timeout: Late())" in alarm["what"]
    assert player.alarms == [alarm["what"]]
    assert evil.turns <= (time.monotonic() - begun) / 0.05, "once in PATIENCE, not at every look"


def test_endpoint_that_makes_receipts_up_is_told_and_turned_away_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each time the act has landed, it says, in a block to come; and it is due all the same."""

    class Forger(Evil):
        async def send(self, call: Any) -> Any:
            del call
            return Receipt(ID, succeeded=True, block=BlockRef(1 << 60, ID), gas_used=1, gas_price=1, logs=())

        async def get_receipts(self, hashes: list[bytes]) -> list[Any]:
            return [await self.send(each) for each in hashes]

        async def advance(self) -> bool:
            self.head = BlockRef(self.head.number + 1, ID)
            return True

    forger: Any = Forger()
    monkeypatch.setattr(challenger.player, "compute_plan", lambda *_, **__: Plan([TIMEOUT]))
    monkeypatch.setattr(challenger.player, "read_game", lambda *_, **__: Game())
    monkeypatch.setattr(challenger.player, "PATIENCE", 0.05)
    monkeypatch.setattr(challenger.refusals, "PATIENCE", 0.05)

    async def inside() -> None:
        player = Player(forger, forger, CONTRACTS, forger, Parameters(), forger)
        monkeypatch.setattr(player, "_genesis_time", 1)
        await play_until(player, 0.001, lambda: forger.turns > 0)
        (alarm,) = player.alarms
        assert "it landed in block" in alarm

    asyncio.run(inside())


def test_endpoint_that_does_not_name_our_balance_is_turned_away_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it holds back is more than a warning: nothing is sent before our money is known."""
    evil: Any = Evil()
    monkeypatch.setattr(challenger.player, "compute_plan", lambda *_, **__: Plan([TIMEOUT]))

    async def inside() -> None:
        player = Player(evil, evil, CONTRACTS, evil, Parameters(), evil, Conduct(purse=evil))
        monkeypatch.setattr(player, "_genesis_time", 1)
        await play_until(player, 60, lambda: evil.turns > 0)

    asyncio.run(inside())
    assert evil.turns == 1


def test_no_alarm_about_money_while_the_game_is_not_known_yet() -> None:
    """A player that reads itself in after a start would miss the bond that it has laid down long ago."""

    class Reader(Evil):
        is_caught_up = False
        looks = 0

        async def advance(self) -> bool:
            await asyncio.sleep(0)
            self.looks += 1
            return True

    reader: Any = Reader()

    async def inside() -> None:
        player = Player(reader, reader, CONTRACTS, reader, Parameters(), reader, Conduct(purse=reader))
        await play_until(player, 60, lambda: reader.looks > 10)

    asyncio.run(inside())
    assert reader.turns == 0, "the purse was asked"


def test_only_what_stands_now_and_waiting_does_not_mend_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gauge pages somebody: not for a batch that becomes final in minutes, nor for what is over."""
    waiting = Objection("not final yet", is_alarming=False)
    lying = Objection("a lie", is_alarming=True)
    objections = [lying, waiting]
    plans = [Plan([CLAIM], ["late"]), Plan([CLAIM]), Plan([CLAIM]), Plan()]
    doomed: Any = Doomed()

    async def find_objection(_: acts.AssertState) -> Objection:
        return objections.pop() if objections else lying

    monkeypatch.setattr(doomed, "find_objection", find_objection)
    monkeypatch.setattr(challenger.player, "compute_plan", lambda *_, **__: plans.pop(0))

    async def inside() -> list[list[str]]:
        player = Player(doomed, doomed, CONTRACTS, doomed, Parameters(), doomed, Conduct(gate=doomed))
        monkeypatch.setattr(player, "_genesis_time", 1)
        playing = asyncio.create_task(player.play(0.02))
        seen: list[list[str]] = []
        while not playing.done() and len(plans) > 1:
            await asyncio.sleep(0.001)
            if player.alarms and player.alarms not in seen:
                seen.append(player.alarms)
        playing.cancel()
        await player.close()
        return seen

    assert asyncio.run(inside()) == [["late"], ["a lie"]]
