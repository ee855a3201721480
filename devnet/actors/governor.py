"""The governor: proposes rules of markets, and has to wait like everybody else."""

from devnet.accounts import Actor
from optimist.derive.actions import MarketParameters, ProposeMarket, describe_proposal
from optimist.derive.typed_data import Domain


class Governor:
    """Signs proposals. Keeps their nonce."""

    def __init__(self, domain: Domain, actor: Actor) -> None:
        self._domain = domain
        self._actor = actor
        self._nonce = 0

    def propose(self, market: int, rules: MarketParameters) -> ProposeMarket:
        """New rules of a market, or a new market; anybody may enact them after the timelock."""
        self._nonce += 1
        message = describe_proposal(market, self._nonce, rules)
        return ProposeMarket(market, self._nonce, rules, message.sign(self._domain, self._actor.secret))
