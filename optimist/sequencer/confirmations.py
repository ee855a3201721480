"""Soft confirmations: the sequencer's signature over how many inputs there are and what they were.

Never over a root: two signatures on one number with different histories prove equivocation to anybody.
"""

from optimist.api.fields import signature_hex
from optimist.api.schema import Confirmation
from optimist.derive.typed_data import Domain, Signature, SoftConfirmation
from optimist.l1.signer import SigningKey


class Confirmer:
    """Signs with the sequencer's key."""

    def __init__(self, domain: Domain, signer: SigningKey) -> None:
        self._domain = domain
        self._signer = signer

    async def confirm(self, number: int, history: bytes) -> Confirmation:
        """The signed confirmation of the first `number` sequenced inputs. Raises SignerUnavailable."""
        preimage = SoftConfirmation(number, history).preimage(self._domain)
        signature = Signature(*await self._signer.sign(preimage))
        return Confirmation(number, "0x" + history.hex(), signature_hex(signature))
