from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from optimist.ops.config import ConfigError, Settings, mask_url, settings_options
from optimist.ops.settings import NodeSettings, SignerSettings


class Example(Settings):
    number: int = 1
    """A number."""
    name: str = "default"
    names: tuple[str, ...] = ()
    fast: bool = False


class Guarded(SignerSettings):
    """A program that signs."""


MINIMUM = {"l1_rpc": ("http://127.0.0.1:8545",), "deployment": Path("deployment.json")}


def run(arguments: list[str], cls: type[Settings] = Example) -> tuple[Settings, str]:
    seen: list[Settings] = []

    @click.command()
    @settings_options(cls)
    def command(settings: Settings) -> None:
        seen.append(settings)

    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return seen[0], result.output


def test_flag_beats_environment_beats_file_beats_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "optimist.toml"
    file.write_text('number = 2\nname = "file"\n')
    assert run([])[0] == Example()
    assert run(["--config", str(file)])[0] == Example(number=2, name="file")
    monkeypatch.setenv("OPTIMIST_NUMBER", "3")
    assert run(["--config", str(file)])[0] == Example(number=3, name="file")
    assert run(["--config", str(file), "--number", "4"])[0] == Example(number=4, name="file")


def test_sections_take_part_in_the_precedence_field_by_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "optimist.toml"
    file.write_text('[key]\nfile = "from-file"\n[tx]\nconfirmations = 7\nmax_pending = 3\n')
    monkeypatch.setenv("OPTIMIST_KEY_PASSWORD_FILE", "from-environment")
    monkeypatch.setenv("OPTIMIST_L1_RPC", "http://a, https://b")
    arguments = ["--config", str(file), "--deployment", "d.json", "--tx.max-pending", "4"]
    settings, _ = run(arguments, Guarded)
    assert isinstance(settings, Guarded)
    assert settings.key.file == Path("from-file")
    assert settings.key.password_file == Path("from-environment")
    assert (settings.tx.confirmations, settings.tx.max_pending) == (7, 4)
    assert settings.l1_rpc == ("http://a", "https://b")


def test_boolean_and_repeated_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIMIST_FAST", "true")
    assert run([])[0] == Example(fast=True)
    assert run(["--no-fast", "--names", "a", "--names", "b"])[0] == Example(fast=False, names=("a", "b"))


def test_missing_setting_names_flag_and_environment() -> None:
    with pytest.raises(ConfigError) as error:
        NodeSettings.load({})
    assert "l1_rpc: is missing (--l1-rpc, OPTIMIST_L1_RPC" in error.value.message
    assert "deployment: is missing" in error.value.message


def test_unknown_setting_in_the_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "optimist.toml"
    file.write_text("nubmer = 2\n")
    with pytest.raises(ConfigError, match="nubmer: is no setting"):
        Example.load({}, file)


def test_broken_or_absent_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "optimist.toml"
    with pytest.raises(ConfigError, match="there is no configuration file"):
        Example.load({}, file)
    file.write_text("number = = 2\n")
    with pytest.raises(ConfigError, match="cannot read the settings"):
        Example.load({}, file)


def test_errors_never_show_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIMIST_KEY_SECRET", "0xfeedface")
    with pytest.raises(ConfigError) as error:
        Guarded.load({**MINIMUM, "tx": {"confirmations": "0xfeedface"}})
    assert "feedface" not in error.value.message
    assert "tx.confirmations" in error.value.message


def test_raw_key_needs_dev(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIMIST_KEY_SECRET", "0x01")
    with pytest.raises(ConfigError, match="add --dev"):
        Guarded.load(MINIMUM)
    assert Guarded.load({**MINIMUM, "dev": True}).key.secret == SecretStr("0x01")


@pytest.mark.parametrize("key", [{}, {"file": Path("k")}])
def test_signing_program_needs_a_whole_key(key: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match=r"key"):
        Guarded.load({**MINIMUM, "key": key})


def test_secret_has_no_flag_and_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIMIST_KEY_SECRET", "0xfeedface")
    settings = Guarded.load({**MINIMUM, "l1_rpc": ("https://user:pw@host/v2/APIKEY",), "dev": True})
    shown = str(settings.masked())
    assert "feedface" not in shown + repr(settings)
    assert "APIKEY" not in shown
    assert "pw" not in shown

    @click.command()
    @settings_options(Guarded)
    def command(settings: Settings) -> None:
        del settings

    text = CliRunner().invoke(command, ["--help"]).output
    assert "--key.secret" not in text
    assert "--key.password-file" in text


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("https://mainnet.example/v3/abcdef", "https://mainnet.example/***"),
        ("https://u:p@host:99/?key=1", "https://host:99/***"),
    ],
)
def test_mask_url(url: str, masked: str) -> None:
    assert mask_url(url) == masked
