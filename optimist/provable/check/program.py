"""A whole law: every function of every module checked, starting from the entry."""

import ast
from collections.abc import Mapping

from optimist.provable.check.checker import Checker
from optimist.provable.check.functions import check_function
from optimist.provable.check.modules import Linker
from optimist.provable.check.refusal import Location, Refused
from optimist.provable.check.symbols import FunctionSymbol
from optimist.provable.check.tree import CheckedFunction


class CheckedProgram:
    """The checked functions of a law. `notes` are remarks on code that the widths decide."""

    def __init__(self, sources: Mapping[str, str], files: Mapping[str, str], entry: str) -> None:
        """`entry`: module and function, with dots. Raises Refused, or LookupError when there is no such
        function.
        """
        self.linker = Linker(sources, files)
        self.notes: list[str] = []
        self._functions: dict[FunctionSymbol, CheckedFunction] = {}
        self._pending: list[FunctionSymbol] = []
        symbol = self._find_entry(entry)
        self.entry = self.get_function(symbol, self._locate(symbol))
        self._check_the_rest()

    def get_function(self, symbol: FunctionSymbol, called_at: Location) -> CheckedFunction:
        """The checked form of a function that is compiled once. Raises Refused on recursion."""
        if symbol in self._functions:
            return self._functions[symbol]
        if symbol in self._pending:
            raise Refused(called_at, f"{symbol.name} calls itself", "write a loop: the law has no recursion")
        self._pending.append(symbol)
        checked = self._check(symbol, self.notes)
        self._pending.pop()
        self._functions[symbol] = checked
        return checked

    def _check(self, symbol: FunctionSymbol, notes: list[str]) -> CheckedFunction:
        checked = CheckedFunction(
            symbol.name, symbol.module, self._locate(symbol), symbol.is_handler, parameters=[], results=[]
        )
        module = self.linker.modules[symbol.module]
        check_function(Checker(self.linker, module, checked, self.get_function, notes), symbol.node)
        return checked

    def _check_the_rest(self) -> None:
        """Functions that the entry never reaches are held to the same rules, though nothing is compiled
        of them.
        """
        for symbol in self._all_functions():
            if symbol.is_inline:
                self._check(symbol, [])  # as if called with the whole of its declared widths
            else:
                self.get_function(symbol, self._locate(symbol))

    def _all_functions(self) -> list[FunctionSymbol]:
        found = []
        for module in self.linker.modules.values():
            for name, definition in module.definitions.items():
                if isinstance(definition.node, ast.FunctionDef):
                    symbol = self.linker.resolve(module, name)
                    if isinstance(symbol, FunctionSymbol):
                        found.append(symbol)
        return found

    def _find_entry(self, entry: str) -> FunctionSymbol:
        module_name, _, name = entry.rpartition(".")
        module = self.linker.modules.get(module_name)
        symbol = self.linker.resolve(module, name) if module else None
        if symbol is None or not isinstance(symbol, FunctionSymbol):
            raise LookupError(f"there is no function {entry} in this law: write module.function as its entry")
        node = symbol.node
        is_plain = (
            not node.args.args and isinstance(node.returns, ast.Constant) and node.returns.value is None
        )
        if not is_plain or symbol.is_inline:
            raise Refused(
                self._locate(symbol), "the entry takes and returns something", f"write def {name}() -> None"
            )
        return symbol

    def _locate(self, symbol: FunctionSymbol) -> Location:
        return self.linker.modules[symbol.module].locate(symbol.node)
