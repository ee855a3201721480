import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from challenger.cli import main as challenger
from optimist.cli import main as optimist

NEEDED = ["--l1-rpc", "https://node.example/v3/hunter2", "--deployment", "d.json"]


def dump(*arguments: str) -> dict[str, dict[str, object]]:
    result = CliRunner().invoke(optimist, ["config", "dump", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, dict[str, object]] = json.loads(result.output)
    return found


def test_every_value_names_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "optimist.toml"
    file.write_text('datadir = "/srv/rollup"\nl1_poll = 9.0\n[batch]\nage = 7.0\nbytes = 50000\n')
    monkeypatch.setenv("OPTIMIST_BATCH_AGE", "8")
    monkeypatch.setenv("OPTIMIST_KEY_SECRET", "11" * 32)
    found = dump("sequencer", *NEEDED, "--dev", "--l1-poll", "10", "--config", str(file))
    assert found["l1_poll"] == {"value": 10.0, "source": "--l1-poll"}
    assert found["batch.age"] == {"value": 8.0, "source": "OPTIMIST_BATCH_AGE"}
    assert found["batch.bytes"] == {"value": 50_000, "source": str(file)}
    assert found["datadir"] == {"value": "/srv/rollup", "source": str(file)}
    assert found["batch.queue_depth"] == {"value": 0, "source": "default"}
    assert found["ops.port"] == {"value": 0, "source": "OPTIMIST_OPS_PORT"}
    assert found["key.secret"] == {"value": "***", "source": "OPTIMIST_KEY_SECRET"}
    assert found["l1_rpc"] == {"value": ["https://node.example/***"], "source": "--l1-rpc"}


def test_no_form_of_it_shows_a_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPTIMIST_KEY_SECRET", "11" * 32)
    for extra in ([], ["--json"]):
        arguments = ["config", "dump", "sequencer", *NEEDED, "--dev", "--datadir", str(tmp_path), *extra]
        result = CliRunner().invoke(optimist, arguments)
        assert result.exit_code == 0, result.output
        assert "11" * 32 not in result.output
        assert "hunter2" not in result.output


def test_settings_that_make_no_sense_are_refused_as_the_program_would() -> None:
    result = CliRunner().invoke(optimist, ["config", "dump", "sequencer", *NEEDED])
    assert result.exit_code == 2
    assert "needs --datadir" in result.output or "exactly one key" in result.output


@pytest.mark.parametrize(("program", "port"), [("watch", 8647), ("run", 8648)])
def test_programs_on_one_machine_listen_on_different_ports(
    monkeypatch: pytest.MonkeyPatch, program: str, port: int
) -> None:
    monkeypatch.delenv("OPTIMIST_OPS_PORT")
    key = ["--key.url", "http://127.0.0.1:9000", "--key.address", "0x" + "12" * 20]
    arguments = ["config", "dump", program, *NEEDED, *(key if program == "run" else []), "--json"]
    result = CliRunner().invoke(challenger, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["ops.port"] == {"value": port, "source": "default"}
