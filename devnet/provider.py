"""web3 over the project's own connection to L1: its deadlines, retries and endpoints stay in one place."""

from typing import Any

from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from optimist.l1.client import L1Client
from optimist.l1.codec import decode_revert
from optimist.l1.errors import RpcError


class ClientProvider(AsyncBaseProvider):
    """A web3 provider that asks an L1Client."""

    def __init__(self, client: L1Client) -> None:
        """`client` stays the caller's to close."""
        super().__init__()
        self._client = client

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One call. Raises Reverted with the name and values of our custom error, RpcError, L1Unavailable."""
        try:
            return {"jsonrpc": "2.0", "id": 1, "result": await self._client.call(method, *params)}
        except RpcError as error:
            if error.data is not None:
                raise decode_revert(error.data) from error
            raise
