"""The files in deploy/ name flags, variables and settings that exist, and take away what they can."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from challenger.settings import RunSettings, WatcherSettings
from optimist.ops.config import Settings
from optimist.sequencer.settings import SequencerSettings
from tests.support.alert_rules import DEPLOY, Rule, load_rules

PROGRAMS: dict[str, type[Settings]] = {
    "sequencer": SequencerSettings,
    "watcher": WatcherSettings,
    "challenger": RunSettings,
}
COMMANDS = {"sequencer": "optimist sequencer", "watcher": "challenger watch", "challenger": "challenger run"}
SYSTEMD = shutil.which("systemd-analyze") or ""
HARDENED = {
    "DynamicUser": "yes",
    "ProtectSystem": "strict",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "Type": "notify",
    "Restart": "on-failure",
    "UMask": "0077",
}


def read_unit(program: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes="#")
    unit.optionxform = str  # type: ignore[method-assign,assignment]  # names of systemd have capitals
    text = (DEPLOY / "systemd" / f"optimist-{program}.service").read_text()
    unit.read_string(text.replace("\\\n", " "))
    return unit


def find_settings(kind: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for name, field in kind.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        found |= find_settings(field.annotation, (*path, name)) if inner else {(*path, name)}
    return found


@pytest.mark.parametrize("rule", load_rules(), ids=lambda rule: rule.name)
def test_every_alert_asks_in_promql_for_series_of_ours(rule: Rule) -> None:
    assert rule.selectors
    assert rule.severity in {"page", "ticket"}
    assert len(rule.summary) > 20
    for selector in rule.selectors:
        assert selector.name == "up" or selector.name.startswith("optimist_")


@pytest.mark.parametrize("program", PROGRAMS)
def test_unit_starts_the_program_with_flags_that_it_has(program: str) -> None:
    command = read_unit(program)["Service"]["ExecStart"]
    known = {"--" + ".".join(path).replace("_", "-") for path in find_settings(PROGRAMS[program])}
    flags = set(re.findall(r"--[\w.-]+", command))
    assert flags - known == {"--config"}
    assert f"/{COMMANDS[program]} " in command


@pytest.mark.parametrize("program", PROGRAMS)
def test_unit_leaves_the_program_no_privilege(program: str) -> None:
    service = read_unit(program)["Service"]
    assert {name: service.get(name) for name in HARDENED} == HARDENED
    assert "secret" not in service["ExecStart"].lower()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.skipif(not SYSTEMD, reason="there is no systemd-analyze here")
def test_systemd_takes_the_unit_and_calls_it_safe(program: str, tmp_path: Path) -> None:
    unit = tmp_path / f"optimist-{program}.service"
    text = (DEPLOY / "systemd" / unit.name).read_text()
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text))
    checked = subprocess.run(
        [SYSTEMD, "verify", unit], capture_output=True, text=True, timeout=60, check=False
    )
    assert [line for line in checked.stderr.splitlines() if unit.name in line] == []
    judged = subprocess.run(
        [SYSTEMD, "security", "--offline=true", "--threshold=20", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-300:]  # exposure below 2.0 of 10


def test_compose_sets_only_variables_that_the_programs_read() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text())
    for program, kind in PROGRAMS.items():
        known = {"OPTIMIST_" + "_".join(path).upper() for path in find_settings(kind)}
        service = compose["services"][program]
        assert set(service["environment"]) <= known
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert all(secret in compose["secrets"] for secret in service.get("secrets", []))
        named = [volume.partition(":")[0] for volume in service["volumes"] if not volume.startswith("./")]
        assert all(volume in compose["volumes"] for volume in named)


def test_prometheus_scrapes_what_compose_starts() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text())
    scraped = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"][0]
    targets = [target.split(":") for target in scraped["static_configs"][0]["targets"]]
    assert dict(targets) == {
        program: compose["services"][program]["environment"]["OPTIMIST_OPS_PORT"] for program in PROGRAMS
    }
    assert scraped["job_name"] == "optimist", "the alert ProgramDown asks for this job"


def test_image_runs_without_root_and_is_asked_whether_it_is_ready() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert "USER 10001" in lines
    assert any("/readyz" in line for line in lines)
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    for source in (name for names in copied for name in names):
        assert (DEPLOY.parent / source).exists(), source
