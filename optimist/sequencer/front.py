"""Puts what the API needs in front of a sequencer: what is recent, the feed, the answers."""

import asyncio

from optimist.api.http import Parts
from optimist.api.hub import Hub
from optimist.api.limits import Limits
from optimist.sequencer.feed import FLUSH, Feed
from optimist.sequencer.reading import Reading
from optimist.sequencer.recent import Progress, RecentInputs
from optimist.sequencer.sequencer import Sequencer


class Front:
    """Make it before the sequencer recovers: it hears of everything from then on."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._chain = sequencer.chain
        self._sequencer = sequencer
        self._recent = RecentInputs()
        self.hub = Hub()
        self._feed = Feed(self.hub, lambda: sequencer.engine, self.get_progress)
        self.reading = Reading(
            sequencer.terms,
            sequencer.chain,
            lambda: sequencer.engine,
            self._feed,
            self._recent,
            self.get_progress,
        )
        sequencer.watchers.add(self._recent.tell, self._renew)
        sequencer.watchers.add(self._feed.tell, self._feed.renew)

    def get_parts(self, limits: Limits) -> Parts:
        """What an API is made of."""
        return Parts(door=self._sequencer, reader=self.reading, hub=self.hub, limits=limits)

    def get_progress(self) -> Progress:
        """How far the inputs have come."""
        posted, claimed, final = self._chain.count_inputs()
        return Progress(max(self._recent.safe, posted), posted, claimed, final)

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            self._feed.flush()
            await asyncio.sleep(FLUSH)

    def _renew(self) -> None:
        head = self._sequencer.engine.builder.head
        self._recent.renew(self._sequencer.get_unposted_inputs(), head.soft_number)
