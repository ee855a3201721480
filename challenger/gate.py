"""What a bond may be put on: data that is final enough, and that enough L1 endpoints agree about.

A move in a running match answers the newest block, for its clock runs. A bond is different: it is laid down
once, and whoever lays it down on a chain that is not L1's, or on data that one wrong endpoint made up, has
lost it by being honest. So before a claim the endpoints are asked one by one: the block at the tag must be
the same for enough of them, and after it the Inbox must hold the very batch that we have executed.
"""

from dataclasses import dataclass

from challenger.strategy.acts import AssertState
from optimist.l1.client import Tag
from optimist.l1.contracts import Contract
from optimist.l1.errors import L1Error
from optimist.l1.sources import Sources, SourcesDisagree
from optimist.l1.types import to_hex


@dataclass(frozen=True, slots=True)
class Objection:
    """Why no bond is put on something now."""

    text: str
    is_alarming: bool  # waiting does not mend it: a person has to look


class Gate:
    """Asks the endpoints before every claim."""

    def __init__(self, sources: Sources, inbox: Contract, tag: Tag) -> None:
        """tag: the block of L1 at which the data has to be there."""
        self._sources = sources
        self._inbox = inbox
        self._tag: Tag = tag

    async def find_objection(self, wanted: AssertState) -> Objection | None:
        """What speaks against a claim about batches up to `wanted.expected_to`; None when nothing does."""
        batch = wanted.expected_to
        try:
            block = await self._sources.agree_on(self._tag)
            count = await self._sources.read(self._inbox, block.hash, "batchCount")
            if count < batch:
                return Objection(
                    f"batch {batch} is not in the {self._tag} block of L1 yet: it holds {count} batches",
                    False,
                )
            sealed = await self._sources.read(self._inbox, block.hash, "getBatch", batch)
        except SourcesDisagree as error:
            return Objection(f"{error}: find out which of them lies, no bond until then", True)
        except L1Error as error:
            return Objection(str(error), False)
        if sealed["acc"] != wanted.expected_acc:
            return Objection(
                f"we have executed batch {batch} with accumulator {to_hex(wanted.expected_acc)}, but the "
                f"{self._tag} block of L1 has {to_hex(sealed['acc'])}: no bond on data that is not L1's",
                True,
            )
        return None
