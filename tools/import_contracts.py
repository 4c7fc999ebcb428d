"""The import contract that import-linter does not bring: some modules are plain Python, whatever else is installed."""

import sys
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class StandardLibraryOnly(Contract):
    """`modules`, and all below them, import the standard library, `without` some of it, and our own packages.

    Only direct imports count: what those own packages import is the business of the layers.
    """

    modules = fields.ListField(subfield=fields.StringField())
    without = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002  # the caller names it
        """Every import of another package whose name is neither ours nor the standard library's."""
        modules, without = cast("list[str]", self.modules), cast("list[str]", self.without)  # parsed by then
        ours = {name for name in graph.modules if not graph.is_module_squashed(name)}
        allowed = ours | (sys.stdlib_module_names - {*without})
        illegal = [
            (importer, imported)
            for importer in sorted(ours)
            if any(importer == module or importer.startswith(f"{module}.") for module in modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported not in allowed
        ]
        return ContractCheck(kept=not illegal, metadata={"illegal": illegal})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line an import."""
        for importer, imported in check.metadata["illegal"]:
            output.print_error(f"{importer} imports {imported}, which is not the standard library it may use.")
