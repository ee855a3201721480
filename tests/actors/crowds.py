"""Several accounts in one hand: what no single bond could do."""

from collections.abc import Iterator, Sequence

from challenger.game.types import Stage, Status
from challenger.strategy import acts
from tests.actors.actor import Actor, Transaction, assert_end, fix_match, play_by
from tests.actors.liars import Liar, Lie, Staller
from tests.support.scene import SLOT, Scene, T


class DecoyProposer(Actor):
    """Posts the truth itself, so that nobody else bonds, and brings the lie when the round is about to close.

    Accounts: the hand of the truth, the hand of the lie. With a third one, before them, the lie comes first,
    dies at once by the hand that tells the truth, and comes again.
    """

    def look(self, scene: Scene) -> Iterator[Transaction]:
        *_, decoy, liar = self.accounts
        if len(self.accounts) == 3 and scene.second == 0:
            yield from assert_end(scene, self.accounts[0], scene.x)
            yield from assert_end(scene, decoy, scene.truth)
            yield from fix_match(scene, self.accounts[0], scene.x, decoy)
        yield from assert_end(scene, decoy, scene.truth) if scene.second < T else ()
        if scene.second == T - 1:
            yield from assert_end(scene, liar, scene.x)
            claim, history = scene.claim_id(liar, scene.x), scene.x.get_history(1, 2)
            yield Transaction(liar, acts.Reveal(claim, history.words(history.height, 0)))
        if scene.second >= T:
            yield Transaction(liar, acts.Confirm(scene.node(scene.x)))

    def find_next_second(self, scene: Scene) -> int | None:
        return scene.start + T - 1 if scene.second < T - 1 else None


class SybilSwarm(Actor):
    """Many liars at once, or one after the other over the time in which the round takes them."""

    def __init__(self, accounts: Sequence[bytes], *, spread: int = 0, active: bool = True) -> None:
        """`spread`: seconds between the first claim and the last. Not active: they never move."""
        kind = Liar if active else Staller
        last = max(1, len(accounts) - 1)
        self.members = [
            kind(_make_lie(i), account, joins=spread * i // last // SLOT * SLOT)
            for i, account in enumerate(accounts)
        ]
        super().__init__(*accounts)

    def look(self, scene: Scene) -> Iterator[Transaction]:
        for member in self.members:
            yield from member.look(scene)


def _make_lie(number: int) -> Lie:
    """Four false histories, so that some claims share a node and some do not."""
    target, salt = 1 + number % 4, 50 + number % 4
    return lambda scene: scene.lie(target, 0, salt)


class SelfDisputer(Actor):
    """Disputes with itself, for bounty, refunds or time: its own truth kills its own lies within a block."""

    # accounts: the truth, then the lies

    def look(self, scene: Scene) -> Iterator[Transaction]:
        truth, *liars = self.accounts
        if not scene.arena.rollup.is_open(scene.base):
            yield from play_by(scene, truth, scene.truth)
            return
        yield from assert_end(scene, truth, scene.truth)
        number = scene.second // (2 * SLOT)
        if scene.second % (2 * SLOT) == 0 and number < len(liars):
            yield from assert_end(scene, liars[number], scene.x)
            yield from fix_match(scene, liars[number], scene.x, truth)
        yield from play_by(scene, truth, scene.truth)


class RefundSniper(Actor):
    """Lets the hero pay for a whole match, and strikes the last blow with its own copy of the truth."""

    def __init__(self, *accounts: bytes) -> None:
        """`accounts`: the liar, the copy."""
        super().__init__(*accounts)
        self.struck = False

    def look(self, scene: Scene) -> Iterator[Transaction]:
        liar, copy = self.accounts
        lie = scene.lie(2, 0)
        if scene.arena.rollup.is_open(scene.base) and not scene.is_out(liar):
            yield from assert_end(scene, liar, lie)
            yield from assert_end(scene, copy, scene.truth)
            for each in play_by(scene, liar, lie):
                if not isinstance(each.act, acts.Prove) and not _touches(each.act, copy, scene):
                    yield each
            if self._is_nearly_over(scene):
                self.struck = True
                yield from fix_match(scene, liar, lie, copy)
        if self.struck:
            for each in play_by(scene, copy, scene.truth):
                if isinstance(each.act, acts.Collect | acts.ClaimCredit):
                    yield each

    def _is_nearly_over(self, scene: Scene) -> bool:
        return any(m.stage is Stage.STEPS and m.height == 1 for m in scene.arena.state.matches.values())


def _touches(act: acts.Act, account: bytes, scene: Scene) -> bool:
    if not isinstance(act, acts.OpenMatch):
        return False
    return account in (scene.arena.state.claims[claim].owner for claim in (act.left, act.right))


class PotDrainer(Actor):
    """Lets copies of the truth fight its own lie, so that their moves empty the pot that pays the hero."""

    # accounts: the liar, then the copies

    def look(self, scene: Scene) -> Iterator[Transaction]:
        liar, *copies = self.accounts
        lie = scene.lie(2, 0)
        if not scene.arena.rollup.is_open(scene.base) or scene.is_out(liar):
            for copy in copies:
                yield from play_by(scene, copy, scene.truth)
            return
        yield from assert_end(scene, liar, lie)
        for copy in copies:
            yield from assert_end(scene, copy, scene.truth)
        yield from play_by(scene, liar, lie)
        for copy in copies:
            yield from play_by(scene, copy, scene.truth)


class GraceHolder(Actor):
    """Loses bonds on purpose one round further down, to prune its true claims above one by one, each late."""

    def __init__(self, *accounts: bytes) -> None:
        """`accounts`: the one that wins, then those that lose."""
        super().__init__(*accounts)
        self.pruned: list[int] = []  # seconds

    def look(self, scene: Scene) -> Iterator[Transaction]:
        winner, *supporters = self.accounts
        child = scene.node(scene.truth)
        if scene.second == 0:
            for account in self.accounts:
                yield from assert_end(scene, account, scene.truth)
            yield from assert_end(scene, winner, scene.truth, child)
            for number, account in enumerate(supporters):
                lie = scene.lie(5, 0, salt=90 + number)
                yield from assert_end(scene, account, lie, child)
                yield from fix_match(scene, account, lie, winner, child)
        if scene.arena.now < scene.arena.rollup.compute_ripe_at(child) - SLOT or scene.second < T - SLOT:
            return
        for account in supporters:
            claim = scene.claim_id(account, scene.truth)
            if scene.arena.state.claims[claim].status is Status.LIVE and scene.is_out(account):
                self.pruned.append(scene.second)
                yield Transaction(winner, acts.Prune(claim))
                return
