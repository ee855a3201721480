"""deploy/alerts.yml, read by a YAML parser and a PromQL parser."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


@dataclass(frozen=True)
class Selector:
    """A series that a rule asks for: its name, and the labels that it must have."""

    name: str
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rule:
    """An alert."""

    name: str
    expression: str
    severity: str
    summary: str

    @property
    def selectors(self) -> list[Selector]:
        """Every series in the expression. Raises ValueError when it is no PromQL."""
        return list(_find_selectors(promql_parser.parse(self.expression)))


def load_rules() -> list[Rule]:
    """All alerts, in order."""
    content = yaml.safe_load((DEPLOY / "alerts.yml").read_text())
    return [
        Rule(rule["alert"], rule["expr"], rule["labels"]["severity"], rule["annotations"]["summary"])
        for group in content["groups"]
        for rule in group["rules"]
    ]


def _find_selectors(expression: Any) -> Iterator[Selector]:
    if isinstance(expression, promql_parser.VectorSelector):
        matchers = expression.matchers.matchers
        yield Selector(expression.name or "", tuple((each.name, each.value) for each in matchers))
    for part in ("lhs", "rhs", "expr", "vector_selector"):
        if hasattr(expression, part):
            yield from _find_selectors(getattr(expression, part))
    for argument in getattr(expression, "args", ()):
        yield from _find_selectors(argument)
