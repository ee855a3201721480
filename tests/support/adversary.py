"""A random adversary with many bonds. It knows the truth and several lies, and follows no strategy for long.

All that L1 lets anybody do is in its repertoire: to post the truth itself, late lies, copies of the truth
that lose on purpose, silence, stalling, sudden perfect play, timeouts and confirmations for everybody.
"""

import random
from collections.abc import Sequence

from challenger.game.types import Claim, Match, Status
from challenger.strategy import acts
from challenger.trace.alphabet import AlphabetProvider
from tests.support.arena import Arena, address
from tests.support.misprint import misprint


class Adversary:
    """Several addresses in one hand. `providers[0]` is the truth, the others are lies."""

    def __init__(
        self, rng: random.Random, arena: Arena, providers: Sequence[AlphabetProvider], accounts: int
    ) -> None:
        self.rng = rng
        self.arena = arena
        self.providers = providers
        self.accounts = [address(100 + i) for i in range(accounts)]
        self.patience = rng.choice((0.1, 0.4, 0.9))  # chance that an account does nothing in a tick
        self.favourite = {account: rng.choice(providers) for account in self.accounts}
        self.believers = {account for account in self.accounts if rng.random() < 0.5}

    def act(self, *, may_assert: bool) -> None:
        """One tick: some accounts do something."""
        for account in self.accounts:
            if self.rng.random() < self.patience:
                continue
            if account in self.believers:
                if may_assert:
                    self.claim(account, self.favourite[account])
                self.play_well(account)
                continue
            habits = [self.play_well, self.play_in_part, self.reveal, self.open, self.hasten, self.garble]
            if may_assert and self.rng.random() < 0.4:
                self.claim(account, self.rng.choice(self.providers))
            else:
                self.rng.choice(habits)(account)

    def claim(self, account: bytes, provider: AlphabetProvider) -> None:
        """Stand on an answer to any question, for the range that L1 asks about."""
        state = self.arena.state
        parent = self.rng.choice(list(state.nodes))
        to = state.rounds[parent].to
        root = provider.get_end_root(to)
        if root is None or to > state.batch_count:
            return
        self.arena.play(account, acts.Stake())
        self.arena.play(account, acts.AssertState(parent, root, to, state.batches[to].accumulator))

    def play_well(self, account: bytes) -> None:
        """One look of perfect play for the account's belief."""
        self.arena.look_and_act(account, self.favourite[account])

    def play_in_part(self, account: bytes) -> None:
        """Some of the acts of such a look, in any order, under any belief."""
        plan = self.arena.plan(account, self.rng.choice(self.providers)).acts
        for act in self.rng.sample(plan, self.rng.randint(0, len(plan))):
            self.arena.play(account, act)

    def reveal(self, account: bytes) -> None:
        """Open a history, needed or not."""
        state = self.arena.state
        for claim_id, claim in list(state.claims.items()):
            if claim.owner != account or claim.revealed_at or claim.status is not Status.LIVE:
                continue
            node = state.nodes[claim.node]
            for provider in self.providers:
                start = state.nodes[node.parent].batch
                if provider.get_end_root(node.batch) is None:
                    continue
                history = provider.get_history(start, node.batch)
                if history.last_end == node.end:
                    self.arena.play(account, acts.Reveal(claim_id, history.words(history.height, 0)))

    def open(self, account: bytes) -> None:
        """Begin a match between any two claims, either one on turn."""
        claims = list(self.arena.state.claims)
        if len(claims) >= 2:
            left, right = sorted(self.rng.sample(claims, 2))
            self.arena.play(account, acts.OpenMatch(left, right, self.rng.choice((left, right))))

    def garble(self, account: bytes) -> None:
        """Acts of a good look, each spoilt in one place."""
        for act in self.arena.plan(account, self.rng.choice(self.providers)).acts:
            self.arena.play(account, misprint(act, self.rng.choice))
        claims = list(self.arena.state.claims)
        if claims:
            operator = self.rng.choice((*self.accounts, bytes(20)))
            self.arena.play(account, acts.SetOperator(self.rng.choice(claims), operator))

    def hasten(self, account: bytes) -> None:
        """Everything that anybody may call, on everything."""
        state = self.arena.state
        claims: list[tuple[bytes, Claim]] = list(state.claims.items())
        matches: list[Match] = list(state.matches.values())
        for match in matches:
            self.arena.play(account, acts.Timeout(match.claims))
        for claim_id, _ in claims:
            self.arena.play(account, acts.Prune(claim_id))
            self.arena.play(account, acts.TimeoutReveal(claim_id, self.rng.choice(claims)[0]))
        for node in list(state.nodes):
            self.arena.play(account, acts.Confirm(node))
