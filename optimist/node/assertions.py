"""What has been asserted and confirmed on L1, read from the Rollup's events. Pure.

Genesis is a node of the tree as well: it claims the empty state after batch 0, confirmed from the start.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, GENESIS_LEAF
from optimist.l1.events import Claimed, Confirmed, Eliminated, Located, NodeCreated, Pruned


@dataclass(slots=True)
class Assertion:
    """A node of the assertion tree: somebody claims that `end_root` is the state root after batch `to`.

    `live`: its claims that are neither dead nor pruned, with their owners.
    """

    id: bytes
    parent: bytes
    end: bytes
    end_root: bytes
    from_: int
    to: int
    accumulator: bytes
    block: int  # of L1, that created it
    confirmed: bool = False
    live: dict[bytes, bytes] = field(default_factory=dict)  # claim -> owner


def find_final(events: Sequence[Located], finalized: int) -> NodeCreated | None:
    """How the last assertion was made whose confirmation stands in a block that is final; None before any.

    `finalized`: number of L1's last final block. Looks back no further than it has to.
    """
    confirmed = next(
        (
            located.event
            for located in reversed(events)
            if isinstance(located.event, Confirmed) and located.block.number <= finalized
        ),
        None,
    )
    if confirmed is None:
        return None
    made = (located.event for located in reversed(events) if isinstance(located.event, NodeCreated))
    return next((event for event in made if event.node == confirmed.node), None)


class AssertionTree:
    """Every assertion so far."""

    def __init__(self, events: Iterable[Located]) -> None:
        """`events` of a node, in order; others than the Rollup's are passed over."""
        genesis = Assertion(GENESIS_ASSERTION, ZERO, GENESIS_LEAF, ZERO, 0, 0, ZERO, 0, confirmed=True)
        self._nodes = {genesis.id: genesis}
        self.last_confirmed = genesis
        for located in events:
            self.take(located)

    @property
    def assertions(self) -> list[Assertion]:
        """All of them, oldest first, genesis included."""
        return list(self._nodes.values())

    def get(self, node: bytes) -> Assertion | None:
        """The assertion with this id, None when nobody made it."""
        return self._nodes.get(node)

    def get_children(self, node: bytes) -> list[Assertion]:
        """The rival answers to what comes after `node`."""
        return [each for each in self._nodes.values() if each.parent == node]

    def take(self, located: Located) -> None:
        """One more event, in order; others than the Rollup's are passed over."""
        match located.event:
            case NodeCreated() as made:
                self._nodes[made.node] = Assertion(
                    id=made.node,
                    parent=made.parent,
                    end=made.end,
                    end_root=made.end_root,
                    from_=made.from_,
                    to=made.to,
                    accumulator=made.acc,
                    block=located.block.number,
                )
            case Claimed(claim=claim, node=node, owner=owner):
                self._nodes[node].live[claim] = owner
            case Eliminated(claim=claim, node=node) | Pruned(claim=claim, node=node):
                self._nodes[node].live.pop(claim, None)
            case Confirmed(node=node):
                self._nodes[node].confirmed = True
                self.last_confirmed = self._nodes[node]
            case _:
                pass
