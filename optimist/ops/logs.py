"""Structured logs: an event name and fields, for people (console) or machines (one JSON object a line).

    log = structlog.get_logger(__name__)
    log.info("batch_derived", batch=17, inputs=312, root="0x...")

Whoever asks with `listen` is told of every event, printed or not: that is how events are counted.

Logs go to stderr; stdout belongs to results. Whatever is named like a secret is masked, and URLs lose their
path, because RPC providers put keys there. Libraries that use the standard logging module look the same.
"""

import logging
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from optimist.ops.config import mask_url

SECRET_NAMES = frozenset(
    {"password", "secret", "private_key", "token", "authorization", "mnemonic", "keystore"}
)
LEVELS: Final = ("debug", "info", "warning", "error")
Listener = Callable[[str, str, Mapping[str, Any]], None]  # level, name and fields of an event

_listeners: list[Listener] = []  # of this process, like the logs themselves
_URL = re.compile(r"https?://[^\s'\"<>]+")


def configure_logs(level: str = "info", form: str = "console", stream: TextIO | None = None) -> None:
    """Set up logging for the whole process. `form` is "console" or "json"; `stream` defaults to stderr."""
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask_secrets,
    ]
    structlog.configure(
        processors=[
            _tell_listeners,
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # tests configure more than once
    )
    render: list[Processor] = (
        [
            structlog.processors.dict_tracebacks,
            mask_secrets,
            structlog.processors.JSONRenderer(default=str),
        ]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=out.isatty())]
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def set_level(level: str) -> None:
    """Print from now on what is at least as severe as one of LEVELS. Raises ValueError."""
    if level not in LEVELS:
        raise ValueError(f"there is no level {level!r}; use one of {', '.join(LEVELS)}")
    logging.getLogger().setLevel(level.upper())


def listen(listener: Listener) -> Callable[[], None]:
    """Tell `listener` of every event from now on, until the function is called that this returns."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def _tell_listeners(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    del logger
    for listener in _listeners:
        listener(method, str(event.get("event", "")), event)
    return event


def mask_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Processor of structlog: hide what is named like a secret, however deep, and the path of every URL.

    Bytes become 0x and hexadecimal digits, as people know hashes and addresses.
    """
    del logger, method
    return {name: _mask(name, value) for name, value in event.items()}


def _mask(name: object, value: object) -> object:
    if isinstance(name, str) and name.lower() in SECRET_NAMES:
        return "***"
    if isinstance(value, str):
        return _URL.sub(lambda match: mask_url(match.group()), value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return {key: _mask(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(None, item) for item in value]
    return value
