"""The one way in which the compiler says no: a place, what is wrong there, and what to write instead."""

import ast
from typing import NamedTuple


class Location(NamedTuple):
    """A place in the source; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Refused(Exception):
    """The source is not in the provable subset, or not provably within its widths.

    `str()` is `file:line:col: what is wrong; what to write instead`.
    """

    def __init__(self, location: Location, problem: str, advice: str) -> None:
        super().__init__(f"{location}: {problem}; {advice}")
        self.location = location
        self.problem = problem
        self.advice = advice


def locate(file: str, node: ast.AST) -> Location:
    """Where `node` stands in `file`."""
    return Location(file, getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1)
