import json
from pathlib import Path

import pytest
from eth_account import Account

from optimist.l1.signer import KeyProblem, Signer, load_keystore, read_secret

SECRET = b"\x11" * 32


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    content = Account.encrypt(SECRET, "right", kdf="pbkdf2", iterations=10)
    (folder / "key.json").write_text(json.dumps(content))
    (folder / "password").write_text("right\n")
    (folder / "password").chmod(0o600)
    return folder


def test_keystore_opens_with_its_password(keystore: Path) -> None:
    signer = load_keystore(keystore / "key.json", keystore / "password")
    assert signer.address == Signer(SECRET).address
    assert Account.from_key(SECRET).address.lower() == "0x" + signer.address.hex()


@pytest.mark.parametrize(
    ("content", "password", "message"),
    [
        (None, "wrong", "does not open"),
        (None, "", "is empty"),
        ("not json", "right", "must be JSON"),
        ('{"version": 3}', "right", "no keystore of version 3"),
        ("[]", "right", "no keystore of version 3"),
    ],
)
def test_bad_keystore_says_what_is_wrong_and_shows_nothing(
    keystore: Path, tmp_path: Path, content: str | None, password: str, message: str
) -> None:
    file = tmp_path / "key.json"
    file.write_text(content if content is not None else (keystore / "key.json").read_text())
    (tmp_path / "password").write_text(password)
    with pytest.raises(KeyProblem, match=message) as problem:
        load_keystore(file, tmp_path / "password")
    assert SECRET.hex() not in str(problem.value)
    assert not password or f"{password} " not in str(problem.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="there is no file"):
        load_keystore(tmp_path / "key.json", tmp_path / "password")


@pytest.mark.parametrize("text", ["", "0x12", "zz" * 32, "00" * 32, "ff" * 32])
def test_bad_secret_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(KeyProblem) as problem:
        read_secret(text)
    assert not text or text not in str(problem.value)


def test_signer_does_not_show_its_secret() -> None:
    signer = read_secret("0x" + SECRET.hex())
    assert SECRET.hex() not in repr(signer)
    assert repr(signer) == f"<Signer 0x{signer.address.hex()}>"
