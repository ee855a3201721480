"""A report is about one block, whatever the node beside it is doing."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from challenger.surveying import look
from optimist.base.presets import MINIMAL
from optimist.l1.errors import L1Inconsistent
from optimist.l1.events import EventReader
from optimist.l1.follower import Follower
from optimist.l1.types import Header
from optimist.node.node import Node
from tests.support.scripted_chain import ADDRESSES, ScriptedChain, ScriptedClient


class Genesis:
    """The one question to the Rollup."""

    address = b"\x07" * 20

    async def read(self, *_: Any) -> dict[str, int]:
        return {"created_at": 1_000}


def test_no_report_while_the_node_takes_in_a_look() -> None:
    """It would judge some events of the next block by the storage of this one, and call L1 a liar."""
    chain = ScriptedChain()
    chain.extend([(0,), ()])
    client = ScriptedClient(chain)
    whole: list[bool] = []
    follower = Follower(client, EventReader(ADDRESSES), start=1)
    node = Node(
        client,
        follower,
        EventReader(ADDRESSES),
        lambda: None,
        checkpoint=lambda _: whole.append(node.is_between_looks),
    )
    asyncio.run(node.catch_up())
    assert whole == [False]
    assert node.is_between_looks

    standing: Any = SimpleNamespace(
        head=node.head, is_between_looks=False, events=node.events, ledger=node.ledger, timestamp=1
    )

    async def get_header(_: bytes) -> Header:
        return Header.from_json(chain.blocks[-1].header())

    opened: Any = SimpleNamespace(
        node=standing,
        client=SimpleNamespace(get_header=get_header),
        deployment=SimpleNamespace(preset=MINIMAL, get_contract=lambda _: Genesis()),
    )
    with pytest.raises(L1Inconsistent, match="went on while it was asked"):
        asyncio.run(look(opened, "latest"))
