"""The example of docs/writing-a-plugin.md is installed and works; a broken plugin beside it stops nothing.

Installed for real, into a folder that only the processes of these tests know.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "support" / "plugin_example"
PAGE = ROOT / "docs" / "writing-a-plugin.md"
QUOTES = """The mass of men lead lives of quiet desperation.
\t\t-- Henry David Thoreau, Walden
%
Know thyself.
\t\t-- Plato, Charmides
%
This line is from nowhere.
%
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both plugins, copied: building one leaves files beside it."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("fortune", "broken"):
        shutil.copytree(EXAMPLE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return folder


@pytest.fixture(scope="module")
def healthy(sources: Path) -> Path:
    """Where the example is installed by itself."""
    return installed(sources.parent / "healthy", sources / "fortune")


@pytest.fixture(scope="module")
def mixed(sources: Path) -> Path:
    """Where the example is installed beside the broken one."""
    return installed(sources.parent / "mixed", sources / "fortune", sources / "broken")


def installed(target: Path, *projects: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index",
         "--no-build-isolation", "--target", target, *projects],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


def run(home: Path, plugins: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """One run of a program in a home of its own, with these plugins beside the built-in ones."""
    places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(plugins), **places},
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip


def kindlehl(home: Path, plugins: Path, *arguments: str) -> tuple[int, str, str]:
    done = run(home, plugins, "kindlehl", *arguments)
    return done.returncode, done.stdout, done.stderr


def test_the_page_shows_what_is_installed() -> None:
    """Each file of the example is on the page, word for word, and nothing else is shown under a file's name."""
    named_block = re.compile(r"^\*\*`([^`]+)`\*\*[^\n]*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    shown = dict(named_block.findall(PAGE.read_text("utf-8")))
    files = {path.name: path.read_text("utf-8") for path in (EXAMPLE / "fortune").iterdir() if path.is_file()}
    assert shown == files


def test_the_example_keeps_its_contract(sources: Path, healthy: Path) -> None:
    """The test that the page shows passes, every law of it: nothing is skipped."""
    done = run(sources / "fortune", healthy, "pytest", "-q", "-p", "no:cacheprovider", "test_fortune.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed in ", done.stdout, re.MULTILINE), done.stdout


def test_an_importer_of_somebody_else_imports(tmp_path: Path, healthy: Path) -> None:
    """Its records are in the library; what it cannot read is kept and named; a second import brings nothing new."""
    (tmp_path / "quotes.fortune").write_text(QUOTES, "utf-8")
    code, out, err = kindlehl(tmp_path, healthy, "import", "quotes.fortune")
    assert (code, out.splitlines()[:2]) == (3, ["3 records read: 3 new, 0 known.", "  2 highlights"])
    assert err == (
        "quotes.fortune, line 7: kept, but not readable yet. It has no text, or no line that says where it is from.\n"
        "2 records had no date that could be read; none was made up.\n"
    )
    code, out, _ = kindlehl(tmp_path, healthy, "import", "quotes.fortune")
    assert (code, out) == (0, "3 records read: 0 new, 3 known.\n")
    code, out, _ = kindlehl(tmp_path, healthy, "list", "--book", "walden", "--plain")
    assert code == 0
    assert "\tWalden\tHenry David Thoreau\t" in out
    assert "quiet desperation" in out


def test_an_exporter_of_somebody_else_exports(tmp_path: Path, healthy: Path) -> None:
    """Its format is a format like any other, and what it wrote imports back as what it was."""
    (tmp_path / "quotes.fortune").write_text(QUOTES, "utf-8")
    kindlehl(tmp_path, healthy, "import", "quotes.fortune")
    code, out, err = kindlehl(tmp_path, healthy, "export", "fortune", "--to", "out.fortune")
    assert (code, out, err) == (0, "1 written, 0 unchanged: out.fortune\n", "")
    written = (tmp_path / "out.fortune").read_text("utf-8")
    assert sorted(written.split("%\n")) == sorted([*QUOTES.split("%\n")[:2], ""])
    code, out, _ = kindlehl(tmp_path, healthy, "import", "out.fortune")
    assert (code, out) == (0, "2 records read: 0 new, 2 known.\n")


def test_a_broken_plugin_is_a_sentence_and_stops_nothing(tmp_path: Path, mixed: Path) -> None:
    """Whoever installed it is told its name; the others import and export."""
    (tmp_path / "quotes.fortune").write_text(QUOTES, "utf-8")
    code, out, err = kindlehl(tmp_path, mixed, "import", "quotes.fortune")
    assert (code, out.splitlines()[0]) == (3, "3 records read: 3 new, 0 known.")
    assert "The plugin broken (kindlehl_broken:Importer) does not load: ImportError.\n" in err
    code, out, err = kindlehl(tmp_path, mixed, "import", str(ROOT / "docs" / "sample" / "My Clippings.txt"))
    assert (code, out.splitlines()[0]) == (0, "26 records read: 26 new, 0 known.")
    code, _, err = kindlehl(tmp_path, mixed, "export", "fortune", "--to", "out.fortune")
    assert (code, err) == (0, "")


@pytest.mark.parametrize("name", ["broken", "gone"])
def test_a_broken_exporter_is_an_error_of_its_own(tmp_path: Path, mixed: Path, name: str) -> None:
    """Who asks for it is told what is wrong and what to do, in two lines; nothing is written."""
    (tmp_path / "quotes.fortune").write_text(QUOTES, "utf-8")
    kindlehl(tmp_path, mixed, "import", "quotes.fortune")
    code, out, err = kindlehl(tmp_path, mixed, "export", name, "--to", "out")
    assert (code, out) == (1, "")
    assert err.startswith(f"kindlehl: The plugin {name} (kindlehl_{name}:Exporter) does not load: ")
    assert err.endswith("\n  Update or remove the package it comes from.\n")
    assert not (tmp_path / "out").exists()


def test_a_format_that_is_not_there_names_those_that_are(tmp_path: Path, healthy: Path) -> None:
    """The example stands among the built-in formats."""
    code, _, err = kindlehl(tmp_path, healthy, "export", "docx")
    assert code == 1
    assert "csv, fortune, json, markdown, pdf" in err
