"""Exporting: documents become files, and no word of the reader's is ever written over."""

from kindlehl.services.exporting.chosen import ChosenBooks
from kindlehl.services.exporting.names import safe_name
from kindlehl.services.exporting.report import Exported
from kindlehl.services.exporting.targets import export_to_file, export_to_folder, export_to_stream
from kindlehl.services.exporting.whole import MANIFEST

__all__ = [
    "MANIFEST",
    "ChosenBooks",
    "Exported",
    "export_to_file",
    "export_to_folder",
    "export_to_stream",
    "safe_name",
]
