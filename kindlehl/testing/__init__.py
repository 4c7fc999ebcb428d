"""Pytest classes that hold an importer or an exporter to its contract: inherit one, name your plugin, run pytest.

    class TestFortune(ImporterContract):
        importer = FortuneImporter()
        samples = {"quotes.fortune": b"..."}

They need pytest, which kindlehl itself does not: `pip install pytest`. All that looks random comes from a fixed seed.
"""

from kindlehl.testing.exporters import ExporterContract
from kindlehl.testing.importers import ImporterContract

__all__ = ["ExporterContract", "ImporterContract"]
