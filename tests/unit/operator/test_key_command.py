import json
import stat
from pathlib import Path

from click.testing import CliRunner, Result

from optimist.cli import main
from optimist.l1.signer import load_keystore


def run(tmp_path: Path, action: str) -> Result:
    files = ["--file", str(tmp_path / "key.json"), "--password-file", str(tmp_path / "password")]
    return CliRunner().invoke(main, ["key", action, *files])


def test_new_key_opens_with_its_password_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    made = run(tmp_path, "new")
    assert made.exit_code == 0, made.output
    address = made.output.strip()
    signer = load_keystore(tmp_path / "key.json", tmp_path / "password")
    assert address == f"0x{signer.address.hex()}"
    assert run(tmp_path, "address").output.strip() == address
    for name in ("key.json", "password"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert json.loads((tmp_path / "key.json").read_text())["version"] == 3


def test_key_is_never_written_over(tmp_path: Path) -> None:
    run(tmp_path, "new")
    before = (tmp_path / "key.json").read_text()
    again = run(tmp_path, "new")
    assert again.exit_code == 2
    assert "a key is never written over" in again.output
    assert (tmp_path / "key.json").read_text() == before


def test_password_that_is_there_is_used_and_an_empty_one_refused(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("\n")
    assert "is empty" in run(tmp_path, "new").output
    (tmp_path / "password").write_text("mine\n")
    (tmp_path / "password").chmod(0o600)
    assert run(tmp_path, "new").exit_code == 0
    (tmp_path / "password").write_text("another\n")
    refused = run(tmp_path, "address")
    assert refused.exit_code == 2
    assert "does not open" in refused.output
