"""The OpenAPI 3.1 document of the API, made of the very types that requests are parsed with.

python -m optimist.api.openapi > docs/openapi.json
"""

import json
import sys
from typing import Any, get_args

import msgspec

from optimist.api import answers
from optimist.api.schema import MAX_FRAME, ActionAnswer, ActionBody, ActionResult, ErrorAnswer, FrameAnswer

Json = dict[str, Any]

ACTIONS = get_args(ActionBody)
REFERENCE = "#/components/schemas/{name}"
PLACE = r"^[0-9]{1,12}\.[0-9]{1,12}$"
TRADE = r"^[0-9]{1,5}:-?[1-9][0-9]{0,18}:[1-9][0-9]{0,17}$"
PRICES = r"^([0-9]{1,5}:[1-9][0-9]{0,17}(,[0-9]{1,5}:[1-9][0-9]{0,17})*)?$"
NUMBER_OR_HASH = r"^([1-9][0-9]{0,17}|0x[0-9a-fA-F]{64})$"


def _number(name: str, high: int, where: str = "path", default: int | None = None) -> Json:
    schema: Json = {"type": "integer", "minimum": 0, "maximum": high}
    if default is not None:
        schema["default"] = default
    return {"name": name, "in": where, "required": where == "path", "schema": schema}


def _text(name: str, pattern: str, where: str = "query", note: str = "") -> Json:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": where, "required": where == "path", "description": note, "schema": schema}


def _count(note: str) -> Json:
    return {"description": note, "required": True, "schema": {"type": "integer", "minimum": 0}}


AGE: Json = {
    "Optimist-Inputs": _count("sequenced inputs up to which the answer knows of everything"),
    "Optimist-L1-Second": _count("second of the newest block of L1 behind it"),
}
MARKET = _number("market", (1 << 16) - 1)
ACCOUNT = _number("account", (1 << 36) - 1)

READS: tuple[tuple[str, str, tuple[Json, ...], type], ...] = (
    ("/v1/status", "Heads, backlog, readiness", (), answers.Status),
    ("/v1/network", "What a client needs to sign", (), answers.Network),
    ("/v1/markets", "All markets", (), answers.Markets),
    ("/v1/markets/{market}", "A market and its book, order by order", (MARKET,), answers.MarketAndBook),
    (
        "/v1/markets/{market}/book",
        "The best levels of a book",
        (MARKET, _number("depth", 1_000, "query", 100)),
        answers.Book,
    ),
    ("/v1/markets/{market}/trades", "The newest trades", (MARKET,), answers.Trades),
    ("/v1/accounts/{account}", "An account and its positions", (ACCOUNT,), answers.Account),
    ("/v1/accounts/{account}/orders", "Its resting orders", (ACCOUNT,), answers.Orders),
    (
        "/v1/accounts/{account}/history",
        "What the law noted of it in batches on L1, oldest first",
        (
            ACCOUNT,
            _text("after", PLACE, note="batch.index, such as 17.3"),
            _number("limit", 500, "query", 100),
        ),
        answers.History,
    ),
    (
        "/v1/accounts/{account}/what-if",
        "Its margin and liquidation prices, now and after a trade, at other prices",
        (
            ACCOUNT,
            _text("trade", TRADE, note="market:signed size:price"),
            _text("prices", PRICES, note="market:price,..."),
        ),
        answers.Prospect,
    ),
    (
        "/v1/inputs/{input}",
        "How far a sequenced input has come",
        (_text("input", NUMBER_OR_HASH, "path", "its number, or the hash of a recent one"),),
        answers.InputStage,
    ),
)


def make_document() -> Json:
    """The whole document."""
    kinds = [
        *ACTIONS,
        ActionResult,
        ActionAnswer,
        FrameAnswer,
        ErrorAnswer,
        *(answer for *_, answer in READS),
    ]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    schemas["FrameAnswer"]["properties"]["results"]["items"] = {
        "anyOf": [_refer(ActionResult), _refer(ErrorAnswer)]
    }
    paths: Json = {"/v1/actions": {"post": _describe_actions()}}
    for path, summary, parameters, answer in READS:
        paths[path] = {"get": _describe_read(path, summary, parameters, answer)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Optimist sequencer",
            "version": "1",
            "description": "Units, signing, channels and errors: docs/API.md. GET /v1/stream is a WebSocket.",
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _describe_actions() -> Json:
    one = {
        "oneOf": [_refer(kind) for kind in ACTIONS],
        "discriminator": {
            "propertyName": "type",
            "mapping": {kind.__struct_config__.tag: REFERENCE.format(name=kind.__name__) for kind in ACTIONS},
        },
    }
    frame = {"type": "array", "minItems": 1, "maxItems": MAX_FRAME, "items": one}
    answer = {"anyOf": [_refer(ActionAnswer), _refer(FrameAnswer)]}
    return {
        "operationId": "postActions",
        "summary": "Sequence one signed action, or up to 64 of them one after the other",
        "requestBody": {"required": True, "content": _as_json({"anyOf": [one, frame]})},
        "responses": _describe_responses(answer),
    }


def _describe_read(path: str, summary: str, parameters: tuple[Json, ...], answer: type) -> Json:
    words = [word.strip("{}") for word in path.removeprefix("/v1/").replace("-", "/").split("/")]
    return {
        "operationId": "get" + "".join(word.capitalize() for word in words),
        "summary": summary,
        "parameters": list(parameters),
        "responses": _describe_responses(_refer(answer), AGE),
    }


def _describe_responses(answer: Json, headers: Json | None = None) -> Json:
    return {
        "200": {"description": "The answer", "headers": headers or {}, "content": _as_json(answer)},
        "default": {
            "description": "What was wrong, and what to do",
            "content": _as_json(_refer(ErrorAnswer)),
        },
    }


def _refer(kind: type) -> Json:
    return {"$ref": REFERENCE.format(name=kind.__name__)}


def _as_json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def render() -> str:
    """The document as it is committed."""
    return json.dumps(make_document(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
