"""Who lives on the devnet. Every key comes from the development mnemonic that the whole world knows.

Two devnets share these keys: nothing of value may ever be sent to them.
"""

from dataclasses import dataclass
from functools import cache

from eth_account import Account

MNEMONIC = "test test test test test test test test test test test junk"
ORACLE_SIGNERS = 7
TRADERS = 6
LIARS = 3


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with a key. `secret` is 32 bytes, `address` 20 bytes."""

    name: str
    secret: bytes
    address: bytes

    @property
    def hex_address(self) -> str:
        """Checksummed 0x address."""
        return str(Account.from_key(self.secret).address)

    @property
    def hex_secret(self) -> str:
        """0x private key: public knowledge, see the module."""
        return f"0x{self.secret.hex()}"


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody on one devnet."""

    deployer: Actor
    sequencer: Actor  # orders and posts
    proposer: Actor  # asserts state roots with a bond
    challenger: Actor  # honest, with a bond
    liars: tuple[Actor, ...]  # each asserts one thing that is not true, for its bond is gone then
    backstop: Actor  # owns account 0, which takes over what is liquidated
    governor: Actor  # may propose rules of markets
    market_maker: Actor
    traders: tuple[Actor, ...]
    oracle: tuple[Actor, ...]  # by signer index

    @property
    def liar(self) -> Actor:
        """The first of the liars."""
        return self.liars[0]

    def everybody(self) -> list[Actor]:
        """All of them, in order of derivation."""
        services = [self.deployer, self.sequencer, self.proposer, self.challenger]
        return [
            *services,
            self.backstop,
            self.governor,
            self.market_maker,
            *self.liars,
            *self.traders,
            *self.oracle,
        ]


@cache
def get_cast() -> Cast:
    """The devnet's cast; the deployer is the first account of anvil."""
    named = ["deployer", "sequencer", "proposer", "challenger", "backstop", "market-maker"]
    deployer, sequencer, proposer, challenger, backstop, market_maker = (
        _derive(name, index) for index, name in enumerate(named)
    )
    return Cast(
        deployer=deployer,
        sequencer=sequencer,
        proposer=proposer,
        challenger=challenger,
        liars=tuple(_derive(f"liar-{number}", 20 + number) for number in range(LIARS)),
        backstop=backstop,
        governor=_derive("governor", 6),
        market_maker=market_maker,
        traders=tuple(_derive(f"trader-{number}", 10 + number) for number in range(TRADERS)),
        oracle=tuple(_derive(f"oracle-{number}", 30 + number) for number in range(ORACLE_SIGNERS)),
    )


def _derive(name: str, index: int) -> Actor:
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return Actor(name, bytes(account.key), bytes.fromhex(account.address[2:]))
