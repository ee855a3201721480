"""What a sequencer is for: which law, on which chain, signed in which domain."""

from collections.abc import Callable
from dataclasses import dataclass

from optimist.base.presets import Preset
from optimist.derive.typed_data import Domain


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The same for as long as the process lives."""

    law: Callable[[], None]
    preset: Preset
    domain: Domain
    image_root: bytes
