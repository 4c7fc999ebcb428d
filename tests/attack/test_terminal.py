"""What is in a book can neither command the terminal nor deceive the eye of who looks at it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.cli import Kindlehl, highlight, note, written

ESCAPES = {
    "a title of the window": "\x1b]0;owned\x07",
    "a clipboard write": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "a link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "a cleared screen": "\x1b[2J\x1b[H",
    "a C1 sequence": "\x9b31m\x9d0;owned\x9c",
    "a backspace": "harmless\b\b\b\b\b\b\b\bevil",
    "a carriage return": "first\rsecond",
    "a bell and a null": "\x07\x00\x7f",
    "a bidi override": "user\u202etxt.exe\u202c",
    "a bidi isolate": "\u2066\u2067hidden\u2069",
    "line and paragraph separators": "a\u2028b\u2029c\x85d",
    "our own invisible marks": "\u2060\u2061bright\u2061\u2060",
}
DANGEROUS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

LOOKS = (["list"], ["random", "--count", "99"], ["random", "--count", "99", "--plain"],
         ["list", "--newest"], ["list", "--plain"], ["books"], ["books", "--plain"], ["search", "ordinary"],
         ["search", "ordinary", "--plain"])  # fmt: skip


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory) -> Kindlehl:
    """A library with all of these in titles, authors, texts and notes."""
    person = Kindlehl(tmp_path_factory.mktemp("lent") / "home")
    entries: list[str] = []
    for n, (name, evil) in enumerate(ESCAPES.items()):
        flat = evil.translate(dict.fromkeys(map(ord, "\r\u2028\u2029\x85"), " "))
        title = f"Title of {name} {flat} end (Author {flat})"
        entries += [
            highlight(f"An ordinary {evil} text.", title, 1, second=90 * n),
            note(f"An ordinary {evil} note.", title, 2, 90 * n + 5),
            note(f"A bare {evil} ordinary note.", f"Other {n} {flat} (Author {flat})", 900, 90 * n + 9),
        ]
    report = person("import", written(person.home / "c.txt", *entries), "--json").json
    assert report["effects"]["highlights"] == report["effects"]["bare"] == len(ESCAPES)
    return person


@pytest.mark.parametrize("look", LOOKS, ids=" ".join)
def test_nothing_in_a_book_reaches_the_terminal_as_a_command(lent: Kindlehl, look: list[str]) -> None:
    """Titles, authors, texts and notes, to people and as plain lines, into a pipe."""
    out = lent.ok(*look, *(["--limit", "99"] if look[0] == "search" else []))
    assert out.count("Title of ") + out.count("Other ") >= 2 * len(ESCAPES)
    assert not DANGEROUS.findall(out)


def test_a_single_passage_is_shown_as_harmlessly(lent: Kindlehl) -> None:
    """With all its records."""
    for item in json.loads(lent.ok("list", "--json"))["items"]:
        if item["kind"] == "highlight":
            out = lent.ok("show", item["id"])
            assert "ordinary" in out
            assert not DANGEROUS.findall(out)


def test_on_a_terminal_there_is_no_sequence_but_our_own_styles(lent: Kindlehl) -> None:
    """Colour on: what remains when our own styles are taken out has no control character."""
    for look in (["list"], ["books"], ["search", "ordinary", "--limit", "99"], ["search", "bright"]):
        out = lent.ok(*look, env={"FORCE_COLOR": "1"})
        assert "\x1b[1" in out or look == ["books"]
        assert not DANGEROUS.findall(re.sub(r"\x1b\[[0-9;]*m", "", out)), look


def test_json_loses_nothing_of_what_was_taken_from_the_terminal(lent: Kindlehl) -> None:
    """Programs get the words as the source wrote them, and the document holds no escape character as such."""
    out = lent.ok("list", "--json")
    texts = {item["text"] for item in json.loads(out)["items"]}
    for name in ("a title of the window", "a C1 sequence", "a bidi override", "a backspace"):
        assert f"An ordinary {ESCAPES[name]} text." in texts
    assert "\x1b" not in out


def test_a_style_does_not_leak_out_of_what_was_found(kindlehl: Kindlehl) -> None:
    """Every line of a search that switches a style on switches it off, whatever invisible marks a text holds."""
    for n, evil in enumerate(("\u2060\u2061", "\u2061\u2060", "\u2060\u2061 \u2060\u2061 word")):
        person = Kindlehl(kindlehl.home / str(n))
        words = " ".join(["ordinary words"] * 30)
        person.ok("import", written(person.home / "c.txt", highlight(f"{words} {evil} {words}")))
        for line in person.ok("search", "ordinary", env={"FORCE_COLOR": "1"}).splitlines():
            styles = re.findall(r"\x1b\[([0-9;]*)m", line)
            assert not styles or styles[-1] == "0"


def test_a_list_in_plain_cannot_be_given_a_false_line_or_field(kindlehl: Kindlehl) -> None:
    """Tabs and line ends inside a text part nothing: two items, two lines, the same number of fields."""
    fake = "ffffffff-ffff-ffff-ffff-ffffffffffff\thighlight\tForged"
    kindlehl.ok(
        "import", written(kindlehl.home / "c.txt", highlight(f"One.\n{fake}"), highlight(f"Two.\t\t{fake}", start=50))
    )
    lines = kindlehl.ok("list", "--plain").splitlines()
    assert len(lines) == 2
    assert [line.count("\t") for line in lines] == [10, 10]


def test_the_name_of_a_file_cannot_command_the_terminal(kindlehl: Kindlehl, tmp_path: Path) -> None:
    """A success says nothing of the path, so an archive's evil file name is not shown."""
    path = tmp_path / "\x1b]0;owned\x07.txt"
    done = kindlehl("import", written(path, highlight("One.")))
    assert (done.code, DANGEROUS.search(done.out + done.err)) == (0, None)


EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\b\x7f"


def forged(body: Any, key: str = "") -> Any:
    """A fact in which everything that somebody may have written commands the terminal."""
    if isinstance(body, dict):
        if body.get("type") == "edit" and str(body["field"]).startswith("tag:"):
            body = {**body, "field": f"{body['field']}{EVIL}"}
        return {name: forged(held, name) for name, held in body.items()}
    words = key in ("text", "title", "raw_title", "author", "page", "chapter", "source", "device")
    return f"{body}{EVIL}" if isinstance(body, str) and (words or (key == "value" and "-" not in body)) else body


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Kindlehl:
    """Somebody who took in a library that a stranger gave him."""
    stranger = Kindlehl(tmp_path_factory.mktemp("stranger") / "home")
    stranger.ok(
        "import", written(stranger.home / "c.txt", highlight("An ordinary text."), highlight("Gone.", start=90))
    )
    other = Kindlehl(tmp_path_factory.mktemp("other") / "home")
    other.ok("import", stranger.home / "c.txt")
    ordinary, gone = sorted(stranger("list", "--json").json["items"], key=lambda item: item["location_start"])
    other.ok("note", ordinary["id"], "other")
    other.ok("export", "json", "--to", other.home / "library.json")
    id_ = ordinary["id"]
    for change in (
        ("note", id_, "mine"), ("tag", "ordinary", id_), ("color", "blue", id_), ("edit", id_), ("delete", gone["id"]),
        ("books", "rename", "walden", "--title", "Title of it"), ("import", other.home / "library.json"),
    ):  # fmt: skip
        stranger.ok(*change, env={"EDITOR": "sed -i 's/ordinary text/ordinary long text/'"})
    file = stranger.home / "library.json"
    stranger.ok("export", "json", "--to", file)
    document = json.loads(file.read_text("utf-8"))
    document["kindlehl"]["facts"] = [forged(body) for body in document["kindlehl"]["facts"]]
    file.write_text(json.dumps(document), "utf-8")
    person = Kindlehl(tmp_path_factory.mktemp("given") / "home")
    person.ok("import", file)
    (held,) = person("list", "--json").json["items"]
    assert all(EVIL in said for said in (held["text"], held["color"], held["tags"][0], held["title"], held["source"]))
    return person


@pytest.mark.parametrize(
    "look",
    ["list", "list --newest", "list --plain", "books", "books --plain", "show ID", "history ID", "conflicts",
     "trash list", "trash list --plain", "books split ordinary", "books split title nothing", "undo --list",
     "search ordinary", "search ordinary --plain", "random", "conflicts ID --keep Z", "split ID zz",
     "tag ordinary --where title:title -n", "color blue --where title:title", "delete --where text -n",
     "export markdown --to out -n", "trash empty -n", "restore --where=-qqqq -n", "search ordinray", "doctor",
     "add more --book title"],
)  # fmt: skip
def test_no_fact_of_a_strangers_library_commands_the_terminal(given: Kindlehl, look: str) -> None:
    """Colours, tags, notes, devices, sources and places are words of his too; in what is told as in what is shown."""
    (id_,) = (item["id"] for item in given("search", "ordinary", "--json").json["items"])
    words = [id_ if word == "ID" else word for word in look.split()]
    for done in (given(*words), given.on_terminal(*words)):
        assert done.code in (0, 1, 2), done
        assert done.out + done.err
        assert not DANGEROUS.findall(re.sub(r"\x1b\[[0-9;]*m", "", done.out + done.err)), done
        assert "\x1b[2J" not in done.out + done.err
