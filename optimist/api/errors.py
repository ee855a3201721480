"""Every error that the API answers with: a number that is never reused, a name, an HTTP status, what to do.

    {"error": {"code": 1102, "name": "BAD_SIGNATURE", "message": "...", "details": {...}}}

Codes 16 to 999 are the law's own reject codes (`optimist/stf/codes.py`), passed through as they are.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from optimist.stf.codes import Code

LAW_STATUS = 422  # the request was understood; the law says no


class ErrorCode(Enum):
    """(code, HTTP status) by name."""

    MALFORMED_REQUEST = (1000, 400)
    REQUEST_TOO_LARGE = (1001, 413)
    NOT_FOUND = (1002, 404)
    METHOD_NOT_ALLOWED = (1003, 405)
    REQUEST_TIMEOUT = (1004, 408)
    BAD_SIGNATURE = (1100, 401)
    UNKNOWN_ACCOUNT = (1101, 404)
    UNKNOWN_MARKET = (1102, 404)
    ORDER_EXPIRED = (1103, 422)
    ORDER_RESTS_ALREADY = (1104, 409)
    ORDER_HAD_ITS_TURN = (1105, 409)
    TOO_MANY_ORDERS = (1106, 422)
    TOO_MANY_FILLS = (1107, 422)
    DEAD_MAN = (1108, 409)
    CANCELLED = (1109, 409)
    NOT_VALID_NOW = (1112, 422)
    STALE_NONCE = (1113, 409)
    UNKNOWN_INPUT = (1114, 404)
    UNKNOWN_CHANNEL = (1115, 404)
    TOO_MANY_CHANNELS = (1116, 422)
    WOULD_TAKE = (1117, 409)
    NO_HISTORY = (1110, 404)
    NO_ANSWER = (1111, 404)
    OVERLOADED = (1200, 503)
    NOT_READY = (1201, 503)
    JOURNAL_FULL = (1202, 503)
    BEHIND_L1 = (1203, 503)
    RATE_LIMITED = (1205, 429)
    UNCONFIRMED = (1290, 503)

    @property
    def number(self) -> int:
        """The code in the answer."""
        return int(self.value[0])

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.value[1])


@dataclass
class ApiError(Exception):
    """An answer that is an error. `message` says what was wrong and what to do."""

    number: int
    name: str
    status: int
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "error": {
                "code": self.number,
                "name": self.name,
                "message": self.message,
                "details": self.details,
            }
        }


def api_error(code: ErrorCode, message: str, **details: Any) -> ApiError:
    """An error of the API itself."""
    return ApiError(code.number, code.name, code.status, message, details)


_BY_NUMBER = {each.number: each for each in ErrorCode}


def refusal_error(code: int, **details: Any) -> ApiError:
    """Why an action was not taken (further): a code of the law, or the number of an error of ours."""
    if code in _BY_NUMBER:
        return api_error(
            _BY_NUMBER[code], "the order is not taken (further): " + _BY_NUMBER[code].name, **details
        )
    return law_error(code, **details)


def law_error(code: int, **details: Any) -> ApiError:
    """The law's refusal of an action."""
    name = Code(code).name if code in {each.value for each in Code} else f"MACHINE_{code}"
    return ApiError(code, name, LAW_STATUS, f"the law rejects this action: {name}", details)
