"""Acts with a misprint: what somebody might send by mistake or on purpose."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from challenger.strategy import acts

Choose = Callable[[Sequence[Any]], Any]  # one of several, by whatever chance the test goes by


def misprint(act: acts.Act, choose: Choose) -> acts.Act:
    """The act with one field changed: another word, a list with a word more or less, claims swapped."""
    names = [field.name for field in fields(act)]
    if not names:
        return act
    name = choose(names)
    value: Any = getattr(act, name)
    return replace(act, **{name: misprint_value(value, choose)})


def misprint_value(value: Any, choose: Choose) -> Any:
    """Something else of the same type."""
    match value:
        case bytes():
            return choose((bytes(len(value)), value[::-1]))
        case int():
            return value + 1
        case (bytes(), *_):
            changes = (value[:-1], (*value, value[0]), value[::-1], (value[0][::-1], *value[1:]))
            return choose(changes if len(value) > 2 else (value[::-1],))
        case tuple():
            return value[::-1]
        case _:
            name = choose([field.name for field in fields(value)])
            return replace(value, **{name: misprint_value(getattr(value, name), choose)})
