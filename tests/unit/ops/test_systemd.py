import socket
from pathlib import Path

import pytest

from optimist.ops.systemd import get_watchdog_seconds, notify


def test_nobody_is_told_where_there_is_no_systemd(tmp_path: Path) -> None:
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})


@pytest.mark.parametrize("abstract", [False, True])
def test_state_arrives_as_one_datagram(tmp_path: Path, abstract: bool) -> None:
    name = f"@optimist-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0" + name[1:] if abstract else name)
        server.settimeout(5)
        assert notify("READY=1", {"NOTIFY_SOCKET": name})
        assert server.recv(100) == b"READY=1"


@pytest.mark.parametrize(("text", "seconds"), [("30000000", 30.0), ("", None), ("soon", None)])
def test_watchdog_interval_is_what_systemd_says(text: str, seconds: float | None) -> None:
    assert get_watchdog_seconds({"WATCHDOG_USEC": text}) == seconds
