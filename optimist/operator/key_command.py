"""`optimist key`: make a keystore, and see whose it is. The key itself is shown nowhere."""

import json
import os
import secrets
from pathlib import Path
from typing import Final

import click

from optimist.l1.signer import KeyProblem, Signer, load_keystore
from optimist.l1.types import to_hex

PASSWORD_BYTES: Final = 32
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Make keys, and look at their addresses."""


@command.command("new")
@click.option("--file", required=True, type=_FILE, help="Keystore to write. It must not exist.")
@click.option(
    "--password-file", required=True, type=_FILE, help="Its password; made when there is no such file."
)
def new_command(file: Path, password_file: Path) -> None:
    """Make a keystore (Web3 Secret Storage, version 3); prints the address."""
    from eth_account import Account

    if file.exists():
        raise click.UsageError(f"{file} exists: a key is never written over")
    if not password_file.exists():
        _write_secret(password_file, secrets.token_hex(PASSWORD_BYTES) + "\n")
    lines = password_file.read_text().splitlines()
    if not lines or not lines[0]:
        raise click.UsageError(f"{password_file} is empty: its first line must be the password")
    while True:
        secret = secrets.token_bytes(32)
        try:
            signer = Signer(secret)
            break
        except KeyProblem:  # not below the curve's order: once in 2**128
            continue
    _write_secret(file, json.dumps(Account.encrypt(secret, lines[0]), indent=2) + "\n")
    click.echo(to_hex(signer.address))


@command.command("address")
@click.option("--file", required=True, type=_FILE, help="Keystore.")
@click.option("--password-file", required=True, type=_FILE, help="Its password.")
def address_command(file: Path, password_file: Path) -> None:
    """Open a keystore and print the address: proves that the password fits."""
    try:
        signer = load_keystore(file, password_file)
    except KeyProblem as error:
        raise click.UsageError(str(error)) from error
    click.echo(to_hex(signer.address))


def _write_secret(path: Path, text: str) -> None:
    """A new file that its owner alone may read. Raises UsageError when it exists or cannot be made."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(handle, "w") as file:
        file.write(text)
