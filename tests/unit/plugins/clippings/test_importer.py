"""The importer as a whole, on fixtures of our own."""

import io
import json
from pathlib import Path

import pytest

from kindlehl.domain.contract import Bundle, Importer
from kindlehl.domain.facts import Record
from kindlehl_plugins.clippings import ClippingsImporter

DATA = Path(__file__).parents[3] / "data" / "clippings"
HIGHLIGHT = """Emma (Austen, Jane)
- Your Highlight on page 5 | Location 100-105 | Added on Monday, April 18, 2016 7:28:27 AM

Emma Woodhouse, handsome, clever, and rich
==========
"""


def bundle(data: bytes, name: str = "My Clippings.txt") -> Bundle:
    return Bundle(name, {name: lambda: io.BytesIO(data)})


def read(data: bytes | str) -> list[Record]:
    return list(ClippingsImporter().read(bundle(data.encode() if isinstance(data, str) else data)))


def fixture(name: str) -> list[Record]:
    return read((DATA / name).read_bytes())


def test_it_is_an_importer() -> None:
    """It fulfils the contract, by type and by name."""
    importer: Importer = ClippingsImporter()
    assert (importer.name, importer.revision) == ("clippings", 1)


def test_a_file_from_a_device_is_read_whole() -> None:
    """Every kind of entry, with what a device puts round it."""
    records = fixture("device.txt")
    assert [(r.kind, r.line, r.title, r.author, r.page, r.location_start, r.location_end, r.at) for r in records] == [
        ("highlight", 1, "Pride and Prejudice", "Austen, Jane", "5", 100, 105, "2016-04-18T07:28:27"),
        ("note", 6, "Pride and Prejudice", "Austen, Jane", "5", 105, 105, "2016-04-18T07:29:02"),
        ("highlight", 13, "Moby Dick (Dutch Edition)", "Melville (Herman)", None, 1971, 1973, "2017-08-24T22:31:50"),
        ("highlight", 18, "Notes on Walking", None, "14", None, None, "2017-08-24T22:33:00"),
        ("bookmark", 23, "Pride and Prejudice", "Austen, Jane", "307", 3793, 3793, "2016-05-01T00:00:01"),
        ("empty", 28, "Pride and Prejudice", "Austen, Jane", None, 3800, 3800, "2016-05-01T12:30:01"),
        ("limited", 33, "Pride and Prejudice", "Austen, Jane", "xvi", 60, 61, "2016-05-01T12:31:01"),
        ("highlight", 38, "Pride and Prejudice", "Austen, Jane", "6", 110, 112, "2016-05-01T12:32:01"),
        ("clip", 43, "A Journal", None, None, 401, 401, "2016-05-01T13:00:00"),
    ]
    assert records[1].text == "irony from the first line on\n\ncompare chapter 61"
    assert (
        records[2].text
        == "Call me Ishmael.\x0bSome years ago\u2028never mind how long precisely\x85having little or no money"
    )
    assert records[3].raw_title == "Notes on Walking  "
    assert [r.truncated for r in records] == [False] * 7 + [True, False]
    assert [r.text for r in records[4:]] == [
        "",
        "",
        "",
        "However little known the feelings or views",
        "An article, kept whole.",
    ]
    assert len({r.raw_title for r in records}) == 4


def test_ten_languages_in_one_file_say_the_same() -> None:
    """The language is found for each record."""
    records = fixture("ten-languages.txt")
    assert {(r.kind, r.page, r.location_start, r.location_end, r.at, r.text) for r in records} == {
        ("highlight", "112", 1300, 1301, "2024-08-22T18:10:53", "Simplify, simplify.")
    }
    assert len(records) == len({r.id for r in records}) == 10


def test_blank_lines_are_enough() -> None:
    """A file without separators is read all the same."""
    assert [(r.kind, r.line, r.text) for r in fixture("no-separators.txt")] == [
        ("note", 1, "clever?\n\nand rich\n- 3 points to check"),
        ("highlight", 9, "Emma Woodhouse, handsome, clever, and rich"),
    ]


def test_a_rule_in_a_text_is_text() -> None:
    """Nothing of a note is lost that holds a separator."""
    assert [(r.kind, r.text) for r in fixture("separator-in-text.txt")] == [
        ("note", "before the rule\n==========\nafter the rule\n\nand a last paragraph"),
        ("highlight", "Short."),
    ]


def test_what_cannot_be_read_is_kept_and_costs_nothing_else() -> None:
    """Each malformed entry is a record with its text, its line and a reason that holds none of it."""
    records = fixture("malformed.txt")
    assert [(r.kind, r.line) for r in records] == [
        ("unreadable", 1),
        ("unreadable", 3),
        ("bookmark", 8),
        ("unreadable", 13),
        ("highlight", 15),
        ("unreadable", 20),
    ]
    assert [r.text for r in records if r.kind == "unreadable"] == [
        "no block at all",
        (
            "Persuasion (Austen, Jane)\n- Twoje podkreślenie na stronie 5 | Położenie 100-105 | Dodano: poniedziałek, "
            "18 kwietnia 2016 07:28:27\n\nhalf agony, half hope"
        ),
        "stray words",
        "Persua",
    ]
    assert all(r.reason and r.text not in r.reason for r in records if r.kind == "unreadable")
    assert records[1].title == "Persuasion"
    assert (records[4].at, records[4].location_start) == (None, 20)


def test_a_note_without_text_is_empty() -> None:
    """As is a highlight in which nothing was selected; a bookmark never has a text."""
    assert [
        r.kind
        for r in read(HIGHLIGHT.replace("Highlight", "Note").replace("Emma Woodhouse, handsome, clever, and rich", " "))
    ] == ["empty"]


def test_a_note_may_quote_the_limit_message() -> None:
    """The message is written into highlights; in a note it is the reader's own word."""
    message = "<You have reached the clipping limit for this item>"
    [record] = read(
        HIGHLIGHT.replace("Highlight", "Note").replace("Emma Woodhouse, handsome, clever, and rich", message)
    )
    assert (record.kind, record.text, record.truncated) == ("note", message, False)


PINNED = "1048dca4-aa80-5c17-a09c-03fdaa1f9217"


def test_the_id_is_pinned() -> None:
    """A changed key is a duplicated library: this id may never change."""
    assert [r.id for r in read(HIGHLIGHT)] == [PINNED]


@pytest.mark.parametrize(
    "disguise",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("\n", "\r\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("Emma (", "\ufeffEmma (").replace("clever", "cle\ufeffver"),
        lambda text: text[:-1],
        lambda text: text.removesuffix("==========\n"),
        lambda text: text.removesuffix("\n==========\n"),
        lambda text: "==========\n" + text,
        lambda text: "\n\n \n" + text,
        lambda text: text.replace("rich\n", "rich \t\n\n \n"),
        lambda text: text.replace("AM\n", "AM  \n"),
        lambda text: text.replace("AM\n\n", "AM\n"),
        lambda text: text.replace("AM\n\n", "AM\n\n \n"),
        lambda text: text.replace("==========\n", "==========  \r\n"),
    ],
)
def test_the_same_record_has_the_same_id(disguise: object) -> None:
    """Line ends, U+FEFF, a missing end and white space round the body change neither the id nor the record."""
    assert callable(disguise)
    assert read(disguise(HIGHLIGHT)) == read(HIGHLIGHT)


def test_neighbours_change_nothing() -> None:
    """A record depends on itself alone."""
    [alone] = read(HIGHLIGHT)
    for name in ("device.txt", "ten-languages.txt"):
        before = (DATA / name).read_bytes().decode()
        assert alone in read(before + HIGHLIGHT + before)


def test_different_records_have_different_ids() -> None:
    """Any word of the title, of the meta line or of the text makes another record."""
    texts = [
        HIGHLIGHT,
        *(HIGHLIGHT.replace(a, b) for a, b in (("Emma (", "Emm ("), ("-105", "-106"), ("rich", "poor"))),
    ]
    assert len({r.id for text in texts for r in read(text)}) == 4


def test_records_can_be_stored() -> None:
    """NUL, lone surrogates and stray bytes reach no string of a record."""
    data = (DATA / "device.txt").read_bytes().replace(b"single", b"si\x00gle\xff\xed\xa0\x80")
    for record in read(data):
        stored = json.dumps([record.raw_title, record.title, record.text, record.page], ensure_ascii=False)
        assert "\x00" not in "".join((record.raw_title, record.title, record.text))
        stored.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "data", "claimed"),
    [
        ("My Clippings.txt", HIGHLIGHT.encode(), True),
        ("My Clippings.txt", b"", True),
        ("my clippings (2).TXT", b"", True),
        ("My Clippings_archived.txt", b"", True),
        ("Мои записи.txt", HIGHLIGHT.encode("utf-16"), True),
        ("old.txt", HIGHLIGHT.encode(), True),
        ("old.txt", HIGHLIGHT.removesuffix("==========\n").encode(), True),
        ("old.txt", b"==========\n" + HIGHLIGHT.encode("utf-8-sig"), True),
        ("old.txt", "Größe (Ä)\n- Ihre Markierung bei Position 2 | Hinzugefügt am x\n\nü".encode("cp1252"), True),
        ("old.txt", b"", False),
        ("old.txt", b"just\nsome\ntext\n==========\nmore", False),
        ("old.txt", b"# A page on Kindles\n\nThey write\n\n" + HIGHLIGHT.removesuffix("==========\n").encode(), False),
        ("My Clippings.txt", b"\x00\x01\x02" * 1000, False),
        ("My Clippings.html", b"<html>", False),
        ("photo.jpg", bytes(range(256)) * 200, False),
    ],
)
def test_it_claims_what_is_a_clippings_file(name: str, data: bytes, claimed: bool) -> None:
    """By the name with text inside, or by a head that reads as one; nothing else."""
    assert ClippingsImporter().claims(bundle(data, name)) is claimed


def test_it_does_not_claim_a_bundle_of_several_files() -> None:
    """A folder has no single file under its name."""
    assert not ClippingsImporter().claims(Bundle("My Clippings.txt", {"a": lambda: io.BytesIO(b"")}))


def test_a_giant_line_is_read_within_bounds() -> None:
    """3 MiB without a line end: nothing raised, nothing dropped, no record beyond the limit."""
    records = read(HIGHLIGHT + "x" * (3 << 20))
    assert {r.kind for r in records[1:]} == {"unreadable"}
    assert sum(r.text.count("x") for r in records[1:]) == 3 << 20
    assert max(len(r.text) for r in records) <= 1 << 20
