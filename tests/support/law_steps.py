"""The real law on real workloads, for comparing the faces of the machine."""

from optimist.prove.law import load_law
from optimist.vm.image import Image
from tests.support.compiled_programs import History
from tests.support.workload import generate_workload

PRESET = "minimal"


def get_image() -> Image:
    """The law as the machine runs it."""
    return load_law(PRESET).image


def make_law_history(seed: int) -> History:
    """A workload of the law."""
    return History(f"make_law_history({seed})", get_image(), generate_workload(seed, preset=PRESET).inputs)
