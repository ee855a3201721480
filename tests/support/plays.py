"""What the scenario tests ask of a scene again and again."""

from challenger.strategy import acts
from challenger.trace.alphabet import get_steps
from challenger.trace.provider import TraceProvider
from optimist.derive.commitments import compute_match_id
from optimist.l1.events import PaddingProven, Proven
from tests.support.scene import E1, HONEST, Scene


def play_out(scene: Scene, lie: TraceProvider, liar: bytes = E1) -> None:
    """Both play by their belief, the liar first, until it is out."""
    scene.watch(lambda: scene.is_out(liar), also=[(liar, lie)])
    assert not scene.is_out(HONEST)


def get_proven(scene: Scene) -> list[Proven]:
    """Every step that the contracts have executed."""
    return [each.event for each in scene.stage.contracts.read_events() if isinstance(each.event, Proven)]


def get_padding_proven(scene: Scene) -> list[PaddingProven]:
    """Every match that the contracts have decided past the last input."""
    events = scene.stage.contracts.read_events()
    return [each.event for each in events if isinstance(each.event, PaddingProven)]


def get_disputed_input(scene: Scene, claims: tuple[bytes, bytes]) -> int:
    """Position in its range of the input that a match came down to."""
    return scene.arena.disputed[compute_match_id(*claims)]


def count_steps(scene: Scene, number: int) -> int:
    """Machine steps of an input, counted from INIT as 0."""
    return get_steps(scene.truth.openings[number].input_hash)


def get_answers(scene: Scene, kind: type, player: bytes = HONEST) -> set[str]:
    """What L1 said to a player's acts of a kind."""
    return {error for _, who, act, error in scene.arena.log if who == player and isinstance(act, kind)}


def get_replay(scene: Scene) -> list[tuple[bytes, acts.Act]]:
    """Everything that has landed, in order."""
    return [(who, act) for _, who, act, error in scene.arena.log if not error]
