"""When L1 takes an assertion, and when it confirms one (docs/PROTOCOL.md section 5). Seconds of L1.

Written once for everybody who waits for it: the proposer, the challenger, the twin of the Rollup contract.
"""


def compute_due_at(parent_created_at: int, min_period: int, *, is_full: bool) -> int:
    """The first second at which a new assertion below a parent is taken; a full range does not wait."""
    return 0 if is_full else parent_created_at + min_period


def compute_ripe_at(born: int, challenge_period: int, decided_at: int, grace: int) -> int:
    """The first second at which an end that stands alone is confirmed.

    born: when its count of live claims last rose from 0. decided_at: when an end of its round last died, 0
    when none has.
    """
    ripe = born + challenge_period
    return max(ripe, decided_at + grace) if decided_at else ripe
