from kindlehl_fortune import FortuneImporter
from kindlehl_fortune_exporter import FortuneExporter

from kindlehl.testing import ExporterContract, ImporterContract


class TestImporter(ImporterContract):
    importer = FortuneImporter()
    entries = [b"Simplify.\n\t\t-- Thoreau, Walden\n%\n", b"Know thyself.\n\t\t-- Plato, Charmides\n%\n", b"?\n%\n"]
    samples = {"quotes.fortune": b"".join(entries)}


class TestExporter(ExporterContract):
    exporter = FortuneExporter()
