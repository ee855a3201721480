"""The sequencer's API as its users see it."""

from typing import Any, Self

import aiohttp
import msgspec

from optimist.api.errors import ApiError
from optimist.api.schema import ActionAnswer, ParsedAction, to_body

_answer_decoder = msgspec.json.Decoder(ActionAnswer)


class SequencerClient:
    """Talks to one sequencer. Every method raises ApiError when it answers with an error."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        """`url`: such as http://127.0.0.1:8080; `timeout` in seconds for one request."""
        self.url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def submit(self, action: ParsedAction) -> ActionAnswer:
        """Post an action; what became of it, once the sequencer has it on disk."""
        return _answer_decoder.decode(await self._request("POST", "/v1/actions", to_body(action)))

    async def get_status(self) -> dict[str, Any]:
        """Heads, backlog, readiness."""
        return await self._get("/v1/status")

    async def has_posted_all(self) -> bool:
        """Whether L1 has every acknowledged input. False while the sequencer goes back behind a reorg."""
        status = await self.get_status()
        return bool(status["ready"] and status["openBatch"] is None and not status["unposted"])

    async def get_network(self) -> dict[str, Any]:
        """What a client needs to sign."""
        return await self._get("/v1/network")

    async def get_account(self, account: int) -> dict[str, Any]:
        """An account and its positions."""
        return await self._get(f"/v1/accounts/{account}")

    async def get_market(self, market: int) -> dict[str, Any]:
        """A market, its last price and its book."""
        return await self._get(f"/v1/markets/{market}")

    async def get_what_if(self, account: int) -> dict[str, Any]:
        """What an account is worth and must be worth, by the law's own code, and where it is liquidated."""
        return await self._get(f"/v1/accounts/{account}/what-if")

    async def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = msgspec.json.decode(await self._request("GET", path))
        return answer

    async def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        async with self._session.request(method, self.url + path, json=body) as response:
            answer = await response.read()
            if response.status == 200:
                return answer
            raise _to_error(response.status, answer)


def _to_error(status: int, answer: bytes) -> ApiError:
    error = msgspec.json.decode(answer)["error"]
    return ApiError(error["code"], error["name"], status, error["message"], error["details"])
