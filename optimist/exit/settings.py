"""Settings of the commands that need nobody: `optimist exit`, `optimist seal`, `optimist force`."""

from typing import Self

from pydantic import Field, model_validator

from optimist.ops.settings import L1Tag, SignerSettings


class OwnSettings(SignerSettings):
    """A key of one's own, and a place to remember what was sent."""

    l1_tag: L1Tag = "latest"
    """Follow L1 up to this block. What a reorg takes back is seen, and done again."""
    l1_poll: float = Field(default=12.0, gt=0)
    """Seconds between two looks at L1."""

    @property
    def sends(self) -> bool:
        """Whether anything is sent, as it is set up now."""
        return True

    @model_validator(mode="after")
    def _has_datadir(self) -> Self:
        if self.sends and self.datadir is None:
            raise ValueError(
                "--datadir is missing: there is written down what was sent, so that nothing is sent twice"
            )
        return self


class ExitSettings(OwnSettings):
    """Which account leaves, and how patiently."""

    account: int | None = Field(default=None, ge=0)
    """Account that leaves; by default the one that belongs to the key."""
    plan: bool = False
    """Only say what is to be done, and when. Needs no key, and sends nothing."""
    follow: bool = False
    """Go on until the money is paid; else do what can be done now."""
    bond: bool = True
    """Assert with a bond where nobody else has; it comes back in the end. Else wait for somebody who does."""
    operator: str | None = Field(default=None, pattern="^0x[0-9a-fA-F]{40}$")
    """Address of a challenger (with --operate-for us) that plays for our assertion if it is contradicted."""
    tolerance_ppm: int = Field(default=1_000, ge=0, le=1_000_000)
    """How much less than computed a withdrawal may pay (1,000: a tenth of a percent) before it is refused."""

    @property
    def sends(self) -> bool:
        """See `OwnSettings`."""
        return not self.plan

    @property
    def needs_key(self) -> bool:
        """A plan needs none, but may be given one: it tells whose plan is meant."""
        return self.sends or self.key.is_given
