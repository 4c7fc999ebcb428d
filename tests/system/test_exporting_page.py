"""The page for readers is true: its template renders, and its profile is one."""

import json
import re
from pathlib import Path

import pytest
from support.cli import ROOT, SAMPLE, Kindlehl, written

PAGE = ROOT / "docs" / "exporting.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="is about the checkout; here are only the tests")


def shown(language: str) -> str:
    """The page's one block in a language."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(block)


@pytest.fixture
def reader(kindlehl: Kindlehl) -> Kindlehl:
    kindlehl.ok("import", SAMPLE)
    return kindlehl


def test_the_file_on_the_page_is_what_is_written(reader: Kindlehl) -> None:
    """With only one of its three highlights."""
    out = reader.ok("export", "markdown", "--book", "walden", "--to", "-")
    head, _, passage = shown("markdown").partition("\n\n> ")
    assert out.startswith(head)
    assert out.endswith(f"\n> {passage}")


def test_the_template_on_the_page_renders_and_merges(reader: Kindlehl, tmp_path: Path) -> None:
    """Callouts with their block ids; a second export changes nothing."""
    template = written(tmp_path / "mine.j2", shown("jinja"))
    vault = tmp_path / "vault"
    reader.ok("export", "markdown", "--template", template, "--to", vault)
    text = (vault / "Walden.md").read_text("utf-8")
    assert "\n\n> [!quote] location 1324 · 15 January 2017, 00:11\n> Our life is frittered away by detail.\n" in text
    assert "\n\n**and by notifications**\n\n^kh-320aba026c57\n" in text
    assert "0 written" in reader.ok("export", "markdown", "--template", template, "--to", vault)
    (vault / "Walden.md").write_text(text + "\nmine\n", "utf-8")
    assert "0 written" in reader.ok("export", "markdown", "--template", template, "--to", vault)


def test_the_profile_on_the_page_is_one(reader: Kindlehl) -> None:
    """As it stands, in the configuration."""
    written(reader.home / "config" / "kindlehl" / "config.toml", shown("toml"))
    report = json.loads(reader.ok("export", "vault", "--json"))
    assert report["target"] == str(reader.home / "Documents" / "Vault" / "Books")
    assert len(report["written"]) == 9
