"""The worked example of `docs/PROTOCOL.md` §5 as data, for all faces:
`python -m tests.support.worked_example` writes `tests/vectors/worked_example.json`.

k = 2, h1 = 3. Batch 1 = [INIT]; batch 2 = [H2, deposit, A, B]; batch 3 = [H3, C]. The assertion is over
batches 2 and 3: six inputs, eight positions. Roots are made up: no hash here depends on what the law says.
"""

import json
from pathlib import Path
from typing import Any, Final

from challenger.game.lists import History
from optimist.base.keccak import keccak
from optimist.derive.batch import Batch, Header, build_batch
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    GENESIS_LEAF,
    ZERO,
    compute_assertion_id,
    compute_claim_id,
    compute_input_hash,
    compute_leaf,
    compute_match_id,
    compute_soft_history,
)
from optimist.derive.rows import encode_rows

VECTORS: Final = Path(__file__).parents[1] / "vectors" / "worked_example.json"
ARITY: Final = 2
HEIGHT: Final = 3
FIRST: Final = 1_700_000_000  # s

BACKSTOP: Final = b"\x0b" * 20
# An INIT of the right shape, one signer and one market, so that a real Inbox can be built with it.
INIT_BODY: Final = BACKSTOP + bytes((1, 1, 1)) + bytes(16) + b"\x51" * 20 + bytes(37)
INIT: Final = b"\x01" + (31337).to_bytes(8, "big") + b"\x5f" * 20 + FIRST.to_bytes(5, "big") + INIT_BODY
DEPOSIT: Final = b"\x03" + (1).to_bytes(5, "big") + b"\xaa" * 20 + (1_000_000).to_bytes(8, "big")
SEQUENCED: Final = {
    name: b"\x05" + (FIRST + second).to_bytes(5, "big") + b"\x04" + name.encode()
    for name, second in (("A", 11), ("B", 12), ("C", 21))
}
OWNERS: Final = (b"\x11" * 20, b"\x22" * 20)


def build_batches() -> list[Batch]:
    """Batches 1 to 3."""
    one = Batch(1, (INIT,), ZERO)
    header2, header3 = Header(2, FIRST + 10, FIRST + 12), Header(3, FIRST + 20, FIRST + 21)
    two = build_batch(header2, [DEPOSIT], [SEQUENCED["A"], SEQUENCED["B"]], one.accumulator)
    three = build_batch(header3, [], [SEQUENCED["C"]], two.accumulator)
    return [one, two, three]


def build_vectors() -> dict[str, Any]:
    """The example, every value computed by the code that runs."""
    batches = build_batches()
    _, two, three = batches
    roots = {name: keccak(f"root {name}".encode()) for name in ("r1", "a", "b", "c", "d", "e", "f")}
    parent_end = compute_leaf(roots["r1"], 1, ZERO)
    leaves = [two.compute_leaf(roots[name], index) for index, name in enumerate("abcd")]
    leaves += [three.compute_leaf(roots[name], index) for index, name in enumerate("ef")]
    history = History(ARITY, HEIGHT, leaves)
    parent = compute_assertion_id(GENESIS_ASSERTION, parent_end)
    node = compute_assertion_id(parent, leaves[-1])
    claims = [compute_claim_id(node, owner) for owner in OWNERS]
    soft = ZERO
    for name in "ABC":
        soft = compute_soft_history(soft, compute_input_hash(SEQUENCED[name]))
    return {
        "k": ARITY,
        "h1": HEIGHT,
        "init": {
            "vault": _hex(b"\x5f" * 20),
            "backstop": _hex(BACKSTOP),
            "body": _hex(INIT_BODY),
            "second": FIRST,
        },
        "genesis": {"leaf": _hex(GENESIS_LEAF), "node": _hex(GENESIS_ASSERTION)},
        "batch": {
            "cumulative": [1, 5, 7],
            "count": [len(batch.inputs) for batch in batches],
            "head": [_hex(batch.head) for batch in batches],
            "accumulator": [_hex(batch.accumulator) for batch in batches],
            "rows": [
                _hex(encode_rows(batch.inputs[start:]))
                for batch, start in zip(batches, (0, 2, 1), strict=True)
            ],
        },
        "input": {  # of all batches, in order; `rest` is the chain link after the input
            "data": [_hex(data) for batch in batches for data in batch.inputs],
            "hash": [_hex(compute_input_hash(data)) for batch in batches for data in batch.inputs],
            "rest": [_hex(link) for batch in batches for link in batch.links[1:]],
        },
        "root": {name: _hex(root) for name, root in roots.items()},
        "range": {
            "parentEnd": _hex(parent_end),
            "leaves": [_hex(leaf) for leaf in (*leaves, leaves[-1], leaves[-1])],
            "top": _hex(history.root),
            "topList": [_hex(word) for word in history.words(HEIGHT, 0)],
            "parent": _hex(parent),
            "node": _hex(node),
            "owners": [_hex(owner) for owner in OWNERS],
            "claims": [_hex(claim) for claim in claims],
            "match": _hex(compute_match_id(*claims)),
        },
        "opening": {  # of a rival that differs from leaf 4 on: prev' = L(d, 2, 0), so batch 3 begins
            "prev": _hex(leaves[3]),
            "root": _hex(roots["d"]),
            "batch": 2,
            "rest": _hex(ZERO),
            "batchOut": 3,
            "inputHash": _hex(compute_input_hash(three.inputs[0])),
            "nextRest": _hex(three.links[1]),
            "rootOut": _hex(roots["e"]),
            "end": _hex(leaves[4]),
        },
        "softHistory": _hex(soft),
    }


def render(vectors: dict[str, Any]) -> str:
    """The vectors as text."""
    return json.dumps(vectors, indent=1) + "\n"


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


if __name__ == "__main__":
    VECTORS.parent.mkdir(exist_ok=True)
    VECTORS.write_text(render(build_vectors()))
