"""The oracle: independent keys, each of which signs the price as it sees it."""

from collections.abc import Sequence

from devnet.accounts import Actor
from devnet.prices import PPM
from optimist.derive.actions import PriceUpdate, SignedPrice
from optimist.derive.typed_data import Domain, PriceReport

SPREAD_PPM = 20  # what two neighbouring keys differ by: no two exchanges show quite the same price


class Oracle:
    """Signs price updates with the first `quorum` of its keys."""

    def __init__(self, domain: Domain, keys: Sequence[Actor], quorum: int) -> None:
        if not 0 < quorum <= len(keys):
            raise ValueError(f"a quorum of {quorum} cannot be had from {len(keys)} keys")
        self._domain = domain
        self._keys = list(keys)
        self._quorum = quorum

    def sign(self, market: int, price: int, publish_time: int) -> PriceUpdate:
        """An update whose (lower) median is `price`, in 1e-8 USD. Other keys are a little off."""
        reports = []
        for index, key in enumerate(self._keys[: self._quorum]):
            away = index - (self._quorum - 1) // 2
            report = PriceReport(market, price * (PPM + away * SPREAD_PPM) // PPM, publish_time)
            reports.append(SignedPrice(index, report.price, report.sign(self._domain, key.secret)))
        return PriceUpdate(market, publish_time, tuple(reports)).sort()
