import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from optimist.ops.logs import configure_logs


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_json_lines_carry_event_fields_time_and_level() -> None:
    out = io.StringIO()
    configure_logs("info", "json", out)
    structlog.get_logger("x").info("batch_derived", batch=3, root=b"\x01\x02")
    structlog.get_logger("x").debug("not_shown")
    (line,) = out.getvalue().splitlines()
    record = json.loads(line)
    assert (record["event"], record["batch"], record["root"], record["level"]) == (
        "batch_derived", 3, "0x0102", "info",
    )  # fmt: skip
    assert record["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_never_reach_the_log(form: str) -> None:
    out = io.StringIO()
    configure_logs("info", form, out)
    log = structlog.get_logger("x")
    log.info("a", password="hunter2", nested={"token": "hunter2", "urls": ["https://h/hunter2"]})
    log.warning("could not reach https://user:hunter2@h/hunter2?k=hunter2")
    logging.getLogger("library").warning("posting to %s", "https://h/v2/hunter2")
    assert "hunter2" not in out.getvalue()
    assert out.getvalue().count("https://h/***") == 3


def test_exception_is_one_json_line() -> None:
    out = io.StringIO()
    configure_logs("info", "json", out)
    try:
        int("what went wrong")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    (line,) = out.getvalue().splitlines()
    assert "what went wrong" in line


def test_hashes_are_shown_in_hexadecimal_on_the_console_too() -> None:
    out = io.StringIO()
    configure_logs("info", "console", out)
    structlog.get_logger("x").info("batch_derived", root=b"\xab\xcd", nested=[b"\x01"])
    assert "root=0xabcd" in out.getvalue()
    assert "0x01" in out.getvalue()
