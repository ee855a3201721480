"""The command line: what it prints, for people and as JSON."""

import json

from click.testing import CliRunner

from optimist.cli import main
from optimist.prove.law import load_law


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_image_prints_the_root_and_the_worst_steps_of_each_kind_of_input() -> None:
    compiled = load_law("mainnet").compiled
    text = run("image", "--preset", "mainnet")
    assert compiled.image.root.hex() in text
    for name, steps in compiled.worst_steps.items():
        assert f"{name:<20s}{steps:>8,d}" in text


def test_image_as_json_has_what_a_deployment_needs() -> None:
    compiled = load_law("minimal").compiled
    found = json.loads(run("image", "--json"))
    assert found["imageRoot"] == "0x" + compiled.image.root.hex()
    assert found["worstSteps"] == compiled.worst_steps
    assert found["bound"] == max(compiled.worst_steps.values())
    assert found["instructions"] == len(compiled.instructions)


def test_the_listing_names_the_source_line_of_every_instruction() -> None:
    listing = run("image", "--listing")
    assert listing.count("optimist/stf/") >= len(load_law("minimal").compiled.instructions)
    assert "optimist/stf/transition.py:" in listing


def test_an_unknown_preset_is_refused_with_the_choices() -> None:
    result = CliRunner().invoke(main, ["image", "--preset", "enormous"])
    assert result.exit_code == 2
    assert "minimal" in result.output
