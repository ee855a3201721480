"""Opens the key of a program, from where its settings say it is."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

from optimist.l1.remote_signer import Endpoint, RemoteSigner
from optimist.l1.signer import KeyProblem, SigningKey, load_keystore, read_secret
from optimist.l1.types import from_hex


class Secret(Protocol):
    """A text that does not show itself."""

    def get_secret_value(self) -> str:
        """The text."""
        ...


class KeySource(Protocol):
    """Where a key is: a remote signer's URL and address, a keystore and its password, or the raw secret."""

    @property
    def url(self) -> str | None: ...  # noqa: D102 - fields of `optimist.ops.settings.KeySettings`
    @property
    def address(self) -> str | None: ...  # noqa: D102 - as above
    @property
    def ca_file(self) -> Path | None: ...  # noqa: D102 - as above
    @property
    def client_file(self) -> Path | None: ...  # noqa: D102 - as above
    @property
    def file(self) -> Path | None: ...  # noqa: D102 - as above
    @property
    def password_file(self) -> Path | None: ...  # noqa: D102 - as above
    @property
    def secret(self) -> Secret | None: ...  # noqa: D102 - as above


async def open_key(source: KeySource, stack: AsyncExitStack) -> SigningKey:
    """The key, open until the stack is left. Raises KeyProblem or SignerUnavailable."""
    if source.url is not None and source.address is not None:
        endpoint = Endpoint(
            url=source.url,
            address=from_hex(source.address),
            ca_file=source.ca_file,
            client_file=source.client_file,
        )
        remote = await RemoteSigner.open(endpoint)
        stack.push_async_callback(remote.close)
        return remote
    if source.file is not None and source.password_file is not None:
        return await asyncio.to_thread(load_keystore, source.file, source.password_file)
    if source.secret is not None:
        return read_secret(source.secret.get_secret_value())
    raise KeyProblem(
        "no key is given: a remote signer, a keystore and its password file, or (for development) a raw key"
    )
