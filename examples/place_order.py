"""Place a signed order.

    python examples/place_order.py URL PRIVATE_KEY ACCOUNT MARKET buy|sell SIZE PRICE

SIZE in the market's smallest units, PRICE in 1e-8 USD (docs/API.md). Needs eth-account and nothing of ours.
"""

import json
import sys
import time
import urllib.request

from eth_account import Account

url, secret, account, market, side, size, price = sys.argv[1:]


def ask(path: str, body: dict | None = None) -> dict:
    """GET, or POST a body; the JSON of the answer."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


TYPES = {"Order": [{"name": name, "type": kind} for name, kind in (
    ("account", "uint40"), ("market", "uint16"), ("isBuy", "bool"), ("size", "uint64"), ("price", "uint64"),
    ("maxFeePpm", "uint32"), ("slot", "uint8"), ("nonce", "uint64"), ("expiry", "uint40"),
    ("reduceOnly", "bool"), ("timeInForce", "uint8"))]}  # fmt: skip
network, now = ask("/v1/network"), ask("/v1/status")["second"]
domain = {
    "name": "Optimist",
    "version": "1",
    "chainId": network["chainId"],
    "verifyingContract": network["vault"],
}
order = {"account": int(account), "market": int(market), "isBuy": side == "buy", "size": int(size),
         "price": int(price), "maxFeePpm": 1_000, "slot": 0, "nonce": time.time_ns() // 1_000_000,
         "expiry": now + 3600, "reduceOnly": False, "timeInForce": 0}  # fmt: skip
signed = Account.sign_typed_data(secret, domain, TYPES, order)
words = {name: str(order[name]) for name in ("size", "price", "nonce")}  # amounts travel as decimal strings
answer = ask("/v1/actions", {"type": "order", **order, **words, "signature": "0x" + signed.signature.hex()})
print(json.dumps(answer))
