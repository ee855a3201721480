"""Two traders with money in the rollup, and an oracle, before a sequencer that runs."""

from devnet.actors.client import SequencerClient
from devnet.actors.oracle import Oracle
from devnet.actors.trader import Trader
from devnet.genesis import QUORUM
from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.api.errors import ApiError
from optimist.api.schema import ActionAnswer
from optimist.derive.typed_data import Domain
from optimist.l1.client import L1Client

USD = 10**6
PRICE = 10**8
LOT = 10_000  # of the BTC market


class Scene:
    """Who trades, where, and at which prices."""

    def __init__(self, network: Devnet, client: L1Client, api: SequencerClient) -> None:
        domain = Domain(network.deployment.chain_id, network.deployment.addresses["Vault"])
        self.network, self.client, self.api, self.domain = network, client, api, domain
        self.oracle = Oracle(domain, network.cast.oracle, QUORUM)
        self.traders = [Trader(domain, network.cast.traders[i], i + 1) for i in range(2)]
        self.published = 0

    async def now(self) -> int:
        """L1's second."""
        header = await self.client.get_header("latest")
        assert header is not None
        return header.timestamp

    async def publish(self, usd: int) -> ActionAnswer:
        """A price of BTC, newer than the last one."""
        self.published = max(self.published + 1, await self.now())
        return await self.api.submit(self.oracle.sign(0, usd * PRICE, self.published))

    async def order(self, who: int, *, is_buy: bool, lots: int, usd: int, slot: int = 0) -> ActionAnswer:
        """A limit order of one of the two."""
        signed = self.traders[who].sign_order(
            market=0,
            is_buy=is_buy,
            size=lots * LOT,
            price=usd * PRICE,
            expiry=await self.now() + 3600,
            slot=slot,
        )
        return await self.api.submit(signed)


async def fund(network: Devnet, client: L1Client) -> None:
    """Open accounts 1 and 2."""
    for number, actor in enumerate(network.cast.traders[:2], 1):
        account, _ = await network.get_bank().open_account(Wallet(client, actor), 10_000 * USD)
        assert account == number


async def has_account(api: SequencerClient, account: int) -> bool:
    """Whether the sequencer knows an account."""
    try:
        await api.get_account(account)
    except ApiError as error:
        if error.name != "UNKNOWN_ACCOUNT":
            raise
        return False
    return True


async def history_inputs(network: Devnet, client: L1Client) -> list[bytes]:
    """Sequenced inputs that L1 has, in order."""
    history = await network.read_history(client)
    return [applied.data for record in history.batches for applied in record.inputs if applied.data[0] == 5]
