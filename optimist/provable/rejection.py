"""How the law says no.

    Rejected    expected: the input breaks a rule; the state stays as it was, the code goes into the receipt

Everything else that leaves a law is a bug and is never caught by this package.
"""

from typing import Final

ACCEPTED: Final = 0  # the code in the receipt of an input that was not rejected


class Rejected(Exception):
    """Raised by `require`, `reject` and `fit` when the input breaks a rule of the law."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = int(code)
