"""`optimist`: the commands. What a command needs is imported when it runs: some of it loads slowly."""

import json

import click


@click.group()
@click.version_option(package_name="optimist")
def main() -> None:
    """Optimist: an optimistic rollup for margined derivatives, provable step by step."""


@main.command()
@click.option(
    "--preset", type=click.Choice(["minimal", "mainnet"]), default="minimal", show_default=True, help="Sizes."
)
@click.option("--listing", is_flag=True, help="Print every instruction with the source line it comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def image(preset: str, listing: bool, as_json: bool) -> None:
    """Compile the law: its image root, and the worst number of steps of each kind of input."""
    from optimist.prove.law import load_law

    compiled = load_law(preset).compiled
    found = compiled.image
    if as_json:
        click.echo(
            json.dumps(
                {
                    "preset": preset,
                    "imageRoot": "0x" + found.root.hex(),
                    "programRoot": "0x" + found.program_root.hex(),
                    "memoryRoot": "0x" + found.memory_root.hex(),
                    "entry": found.entry,
                    "instructions": len(found.program),
                    "constants": len(found.memory),
                    "memoryWords": compiled.memory_words,
                    "worstSteps": compiled.worst_steps,
                    "bound": compiled.bound,
                },
                indent=2,
            )
        )
        return
    click.echo(f"image root    0x{found.root.hex()}  ({preset})")
    click.echo(f"program       {len(found.program)} instructions, entry at {found.entry}")
    click.echo(f"memory        {len(found.memory)} constants, {compiled.memory_words} words used")
    click.echo("worst steps of an input")
    for name, steps in compiled.worst_steps.items():
        click.echo(f"  {name:<20s}{steps:>8,d}")
    click.echo(f"  {'(any)':<20s}{compiled.bound:>8,d}")
    for note in compiled.notes:
        click.echo(f"note: {note}")
    if listing:
        click.echo()
        click.echo(compiled.listing())


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sequencer(arguments: tuple[str, ...]) -> None:
    """Order actions, post batches, propose state roots: `optimist sequencer --help`."""
    from optimist.sequencer.command import command

    command.main(args=list(arguments), prog_name="optimist sequencer")
