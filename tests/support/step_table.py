"""The table of worst steps in docs/STEPS.md: `python -m tests.support.step_table` writes it."""

from pathlib import Path
from typing import Final

from optimist.base.presets import PRESETS
from optimist.prove.law import load_law

PAGE: Final = Path(__file__).parents[2] / "docs" / "STEPS.md"
BEGIN: Final = "<!-- table: python -m tests.support.step_table -->\n"
END: Final = "<!-- end of the table -->\n"


def build_table() -> str:
    """Kind of input -> worst steps in both presets, with what one input may cost at most in the last row."""
    worst = {name: load_law(name).compiled.worst_steps for name in PRESETS}
    names = list(PRESETS)
    lines = [f"| input | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for handler in sorted(worst[names[0]], key=lambda name: (-worst[names[-1]][name], name)):
        kind = handler.removeprefix("apply_").upper()
        lines.append(f"| {kind} | {' | '.join(f'{worst[name][handler]:,}' for name in names)} |")
    bounds = [PRESETS[name].k ** PRESETS[name].h2 for name in names]
    lines.append(f"| *bound* | {' | '.join(f'*{bound:,}*' for bound in bounds)} |")
    return "\n".join(lines) + "\n"


def read_table() -> str:
    """What the page says."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def write_table() -> None:
    """Replace it."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + build_table() + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    write_table()
