"""Words that are syntax somewhere, from the clippings file through the library into YAML, CSV, Markdown and JSON."""

import csv
import json
import re
from pathlib import Path

import pytest
import yaml
from support.cli import Kindlehl, highlight, note, written

WORDS = {
    "yaml end": "---",
    "yaml key": "evil: true",
    "yaml comment": "a # comment",
    "yaml anchor": "&anchor *alias !!python/object/apply:os.system ['id']",
    "yaml quote": "say \"no\" 'never' \\ \\n \\x41",
    "yaml flow": "{a: [b, c]}, - d",
    "yaml null": "null",
    "yaml number": "1984",
    "yaml yes": "yes",
    "yaml date": "2024-01-01",
    "formula": '=HYPERLINK("http://evil.example";"click")',
    "formula plus": "+1+cmd|' /C calc'!A0",
    "formula minus": "-2+3",
    "formula at": "@SUM(1+1)",
    "formula wide": "＝1+1",
    "csv": 'a,b;c\td"e""f',
    "heading": "# not a heading",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "markdown link": "[click](javascript:alert(1)) ![x](http://evil.example/x.png) [[wiki]]",
    "obsidian": "%%hidden%% ==marked== #tag ^block-id $math$ `code` ~~gone~~",
    "block id": "the end ^kh-000000000000",
    "fence": "```dataviewjs",
    "template": "{{ 7*7 }} {% include 'x' %} ${7*7} <% tp.x %>",
    "quote": "> quoted",
    "table": "| a | b |",
    "emoji": "👩‍👩‍👧‍👦 \U0001f600",
}


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Kindlehl:
    """Somebody whose books, highlights and notes are all of that kind."""
    kindlehl = Kindlehl(tmp_path_factory.mktemp("formats") / "home")
    entries: list[str] = []
    for n, words in enumerate(WORDS.values()):
        title = f"{words} (Author)"
        entries += [
            highlight(f"{words}\nline two of {n}", title, 10, second=100 * n),
            note(words, title, 11, 100 * n + 3),
        ]
    kindlehl.ok("import", written(kindlehl.home / "c.txt", *entries))
    return kindlehl


@pytest.fixture(scope="module")
def items(person: Kindlehl) -> list[dict[str, str]]:
    """What the library holds."""
    found = json.loads(person.ok("list", "--json"))["items"]
    assert {item["note"] for item in found} == set(WORDS.values())
    return found


def test_csv_gives_every_word_back_and_no_cell_is_a_formula(person: Kindlehl, items: list[dict[str, str]]) -> None:
    """RFC 4180 read by Python: each cell is the word, with an apostrophe in front of what a spreadsheet would run."""
    path = person.home / "all.csv"
    person.ok("export", "csv", "--to", path)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, strict=True))
    assert len(rows) == len(items)
    for row, item in zip(rows, items, strict=True):
        for name in ("title", "author", "text", "note"):
            assert row[name].removeprefix("'") == item[name].removeprefix("'")
            assert not row[name].startswith(tuple("=+-@\t\r＝＋－＠")), row
    assert b"\r\n" in path.read_bytes()


def test_front_matter_is_what_any_yaml_parser_reads_as_the_very_title(
    person: Kindlehl, items: list[dict[str, str]], tmp_path: Path
) -> None:
    """A mapping with the title as a string, our keys only, and it ends where it should."""
    person.ok("export", "markdown", "--to", tmp_path / "vault")
    titles = set()
    for path in (tmp_path / "vault").glob("*.md"):
        text = path.read_text("utf-8")
        front, _, body = text.removeprefix("---\n").partition("\n---\n")
        held = yaml.safe_load(front)
        assert held.keys() <= {"title", "author", "kindlehl", "highlights", "notes", "first", "last", "tags"}
        assert isinstance(held["title"], str)
        assert held["author"] == "Author"
        assert (held["highlights"], held["notes"]) == (1, 1)
        assert len(re.findall(r"^\^kh-[0-9a-f]{12}$", body, re.MULTILINE)) == 1
        titles.add(held["title"])
    assert titles == {item["title"] for item in items}


def test_no_line_of_a_book_is_a_line_of_the_document(person: Kindlehl, tmp_path: Path) -> None:
    """Every line is of the frame (front matter, title, author, block id) or inside a block quote; nothing is live."""
    person.ok("export", "markdown", "--to", tmp_path / "vault")
    for path in (tmp_path / "vault").glob("*.md"):
        body = path.read_text("utf-8").removeprefix("---\n").partition("\n---\n")[2]
        lines = [line for line in body.split("\n") if line]
        assert lines[0].startswith("# ")
        assert lines[1] == "*Author*"
        for line in lines[2:]:
            assert line.startswith(">") or re.fullmatch(r"\^kh-[0-9a-f]+", line), line
        for live in (r"(?<!\\)<script", r"(?<!\\)<img", r"(?<!\\)\[\[", r"(?<!\\)%%", r"(?<!\\)`", r"(?<!\\)\]\("):
            assert not re.search(live, body) or (live.endswith(r"\]\(") and r"\[click" in body), (path.name, live)


def test_json_gives_every_word_back(person: Kindlehl, items: list[dict[str, str]]) -> None:
    """Exported and imported into an empty library: the same items."""
    path = person.home / "all.json"
    person.ok("export", "json", "--to", path)
    other = person.home / "other.db"
    person.ok("import", path, "--library", other)
    assert json.loads(person.ok("list", "--json", "--library", other))["items"] == items


def test_a_template_in_a_title_is_not_run(person: Kindlehl, tmp_path: Path) -> None:
    """`{{ 7*7 }}` stays what it is."""
    person.ok("export", "markdown", "--to", tmp_path / "vault")
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "vault").glob("*.md"))
    assert "49" not in "".join(line for line in text.splitlines() if "include" in line)
    assert text.count("{{ 7") >= 2
