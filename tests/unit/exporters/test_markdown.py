"""The Markdown exporter: what is shown is what was marked, and YAML, links and order survive any title."""

import datetime
import re

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from kindlehl.domain.contract import Document
from kindlehl.domain.library import Book, Highlight
from kindlehl_exporters.captions import caption, moment, span
from kindlehl_exporters.escaping import inline, lines
from kindlehl_exporters.markdown import MarkdownExporter

from . import shelves
from .shelves import bare_note, book, one, passage

_READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

NASTY = [
    "Emma: A Novel",
    'She said "no"',
    "It's # not a comment",
    "- a list",
    "[bracket] | pipe ^caret",
    "{brace}",
    "📚 Books 🏳️‍🌈",
    "two\nlines\tand a tab",
    "yes",
    "null",
    "1984",
    "2024-08-22",
    "12:30",
    "trailing  ",
    " leading",
    "&anchor *alias !tag",
    "back\\slash",
    "%percent @at `tick`",
    "next\x85line\u2028sep\u2029par",
    "bom\ufeff\x7f\x9f",
    "---",
    "~",
    "紅樓夢：全集",
]


def text_of(document: Document) -> str:
    return b"".join(block.data for block in document.blocks).decode()


def rendered(of: Book, *passages: Highlight) -> str:
    (document,) = MarkdownExporter().render(one(of, *passages))
    return text_of(document)


def front_matter(markdown: str) -> dict[str, object]:
    _, matter, _ = re.split(r"^---$", markdown, maxsplit=2, flags=re.MULTILINE)
    return yaml.safe_load(matter)  # type: ignore[no-any-return]


def body(markdown: str) -> str:
    return re.split(r"^---$", markdown, maxsplit=2, flags=re.MULTILINE)[2]


def words(text: str) -> str:
    return "".join(text.split())


def shown(tokens: list[Token]) -> str:
    """What a reader sees of these tokens, without white space."""
    kinds = {"text", "softbreak", "hardbreak", "inline", "paragraph_open", "paragraph_close", "text_special"}
    seen = ""
    for token in tokens:
        assert token.type in kinds, f"{token.type} is structure that nobody wrote"
        seen += shown(token.children or []) if token.type == "inline" else token.content
    return words(seen)


def in_quotes(markdown: str) -> list[list[Token]]:
    """The tokens of each outermost block quote."""
    found: list[list[Token]] = []
    inside = False
    for token in _READER.parse(markdown):
        if token.level == 0 and token.type.startswith("blockquote_"):
            inside = token.nesting > 0
            found += [[]] if inside else []
        elif inside:
            found[-1].append(token)
    return found


ODDITIES = st.text(
    st.one_of(
        st.sampled_from("\\`*_[]()<>|~$#^=%&-+:.!{}1 \n\t\r\"'@"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    )
)
FRAGMENTS = st.lists(
    st.sampled_from(
        ["# h", "- x", "1. y", "2) z", "> q", "```", "***", "---", "===", "a | b", "--|--", ":-", "[[w]]", "[a]: b",
         "[a]", "<b>", "<!-- ", "&amp;", "~~s~~", "==m==", "%%c%%", "$x$", "^id", "    code", "\t", "\n", "\n\n", "\r",
         "word", "http://a.b", "<http://a.b>", "a@b.c", "\\", "  ", "[^1]", "- [ ] t", "+ p", "\u2028", "\x0c", "::: x"]
    )
).map("".join)  # fmt: skip


@given(st.one_of(ODDITIES, FRAGMENTS))
@example("a\\|b\n:-")
@example("x\r- y")
@example("_emphasis_ and </b>")
@example("Setext\n=")
@example("1) one")
@example("+ plus\n- minus")
@example("# one\n\n    two\n- three\n1. four\n> five\n```\nsix")
@example("Setext\n===\n---")
@example("plain words, nothing else")
def test_what_is_shown_is_what_was_marked(text: str) -> None:
    """A reader of CommonMark with tables and strikethrough sees exactly the passage's characters, as paragraphs."""
    markdown = "".join(f"> {line}\n" if line else ">\n" for line in lines(text))
    quotes = in_quotes(markdown)
    assert "".join(shown(tokens) for tokens in quotes) == words(text)
    assert len(quotes) <= 1


@given(st.one_of(ODDITIES, FRAGMENTS))
def test_a_title_is_one_heading_whatever_it_holds(text: str) -> None:
    """A title or chapter, folded to one line, is the content of one heading and shows as it is."""
    tokens = _READER.parse(f"# {inline(text)}\n")
    assert [token.type for token in tokens] == ["heading_open", "inline", "heading_close"]
    assert shown(tokens[1].children or []) == words(text)


@pytest.mark.parametrize(
    "text", ["#tag", "a #tag", "==m==", "%%c%%", "$x$", "end ^id", "[[Link]]", "![[Embed]]", "[!note]"]
)
def test_nothing_of_obsidian_own_syntax_is_left_bare(text: str) -> None:
    """Tags, marks, comments, formulas, block ids, links and callouts are escaped: Obsidian shows their characters."""
    (line,) = lines(text)
    assert re.search(r"(?<!\\)(#\w|==|%%|\$|\^|\[)", line) is None


@pytest.mark.parametrize(
    "text", ["Plain words.", "AT&T has 5 % and a = b, x < y", "An em—dash; “quotes”", "满纸荒唐言"]
)
def test_ordinary_prose_stays_as_it_is(text: str) -> None:
    """No backslash disturbs a text that needs none."""
    assert lines(text) == [text]


def test_paragraphs_and_verses_keep_their_lines() -> None:
    """Lines stay lines and paragraphs stay paragraphs, all of them inside the quote."""
    of = book()
    assert "> One\n> two\n>\n> three\n>\n> — page 1\n" in rendered(of, passage(of, "One\ntwo\n\n\n\nthree\n", page="1"))


def test_a_tag_is_one_that_obsidian_can_hold() -> None:
    """Spaces and punctuation become dashes, digits alone get a letter's place, what is left of nothing is no tag."""
    of = book()
    tags = ("to read!", "_a_", "2024", "a/b", "#x", "日本", "?!", "to read?")
    assert rendered(of, passage(of, tags=tags)).count("> #to-read #a #_2024 #a/b #x #日本\n") == 1


@pytest.mark.parametrize("title", NASTY)
def test_front_matter_gives_back_any_title_and_author(title: str) -> None:
    """YAML's strictest readers get the very strings, and never a date, a number or a truth value."""
    of = book(title, title)
    matter = front_matter(rendered(of))
    assert (matter["title"], matter["author"]) == (title, title)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_front_matter_gives_back_any_string(title: str) -> None:
    """As above, for whatever Unicode holds."""
    assert front_matter(rendered(book(title, None)))["title"] == title


def test_front_matter_says_what_the_file_holds() -> None:
    """Counts, first and last day and the union of the tags, in types that Obsidian's properties know."""
    of = book()
    matter = front_matter(
        rendered(
            of,
            passage(of, "b", added_at="2024-08-22T18:10:00", tags=("to read", "1984"), note="n"),
            passage(of, "a", added_at="2023-01-02T00:00:00", tags=("to-read", "été/π")),
            bare_note(of, "n"),
        )
    )
    assert matter == {
        "title": "Walden",
        "author": "Henry David Thoreau",
        "kindlehl": of.id,
        "highlights": 2,
        "notes": 2,
        "first": datetime.date(2023, 1, 2),
        "last": datetime.date(2024, 8, 22),
        "tags": ["_1984", "to-read", "été/π"],
    }


def test_front_matter_leaves_out_what_nobody_knows() -> None:
    """No author, no dates and no tags give no keys; a day that does not exist is no date."""
    of = book("T", None)
    matter = front_matter(rendered(of, passage(of, added_at="2024-02-31T10:00:00"), passage(of, "x", added_at="soon")))
    assert set(matter) == {"title", "kindlehl", "highlights", "notes"}


def test_a_passage_reads_in_order_with_all_that_is_known() -> None:
    """Words, then where and when, then the note, then the block id on its own line, as Obsidian has it for quotes."""
    of = book()
    known = passage(
        of,
        "The mass of men lead lives of quiet desperation.",
        id="0f1e2d3c-4b5a-5968-8776-655443322110",
        page="12",
        location_start=1300,
        location_end=1301,
        added_at="2024-08-22T18:10:59",
        added_offset="+02:00",
        color="yellow",
        favorite=True,
        truncated=True,
        tags=("it",),
        note="True.\n\n- still",
    )
    expected = """
> The mass of men lead lives of quiet desperation.
>
> — page 12 · location 1300–1301 · 22 August 2024, 18:10 · yellow · favorite · cut by the publisher's clipping limit #it
>
> **Note:** True.
>
> \\- still

^kh-0f1e2d3c4b5a
"""
    assert rendered(of, known).endswith(expected)


def test_a_bare_note_stands_in_order_and_says_that_it_has_no_highlight() -> None:
    """It is a block of its own between its neighbours, and cannot be taken for words of the book."""
    of = book()
    markdown = rendered(of, passage(of, "before"), bare_note(of, "Who speaks?", page="7"), passage(of, "after"))
    assert "> **Note without a highlight:** Who speaks?\n>\n> — page 7\n" in markdown
    assert markdown.index("> before") < markdown.index("Who speaks?") < markdown.index("> after")


def test_chapters_are_headings_where_they_change() -> None:
    """One heading a chapter, in the order of the shelf; a passage without one stays in the chapter before."""
    of = book()
    chapters = ("One", "One", None, "One", "Two #2")
    passages = [passage(of, str(number), chapter=chapter) for number, chapter in enumerate(chapters)]
    assert re.findall(r"^## .*", rendered(of, *passages), re.MULTILINE) == ["## One", "## Two \\#2"]


def test_each_passage_is_one_block_with_its_id_and_the_rest_has_none() -> None:
    """The service merges by block, so a passage never shares its bytes with a heading."""
    of = book()
    first, second = passage(of, "a", chapter="C"), passage(of, "b")
    (document,) = MarkdownExporter().render(one(of, first, second))
    assert (document.id, document.title, document.suffix) == (of.id, of.title, ".md")
    assert [block.id for block in document.blocks] == ["", "", "", first.id, second.id]


def test_block_ids_are_distinct_and_do_not_depend_on_neighbours() -> None:
    """Twelve digits of the id; those that share them use the whole id, so that no link moves to another passage."""
    of = book()
    ids = (
        "aaaaaaaa-bbbb-5000-8000-000000000001",
        "aaaaaaaa-bbbb-5000-8000-000000000002",
        "cccccccc-dddd-5000-8000-000000000003",
    )
    found = [re.findall(r"^\^(kh-[a-z0-9-]+)$", rendered(of, *(passage(of, id=one) for one in order)), re.MULTILINE)
             for order in (ids, ids[::-1])]  # fmt: skip
    assert found[0] == ["kh-aaaaaaaabbbb50008000000000000001", "kh-aaaaaaaabbbb50008000000000000002", "kh-ccccccccdddd"]
    assert found[1] == found[0][::-1]


def test_empty_lines_are_single_and_the_file_ends_in_one_newline() -> None:
    """The file looks as if a careful person had typed it."""
    for document in MarkdownExporter().render(shelves.sample()):
        markdown = text_of(document)
        assert "\n\n\n" not in markdown
        assert markdown.endswith("\n")
        assert not markdown.endswith("\n\n")


def test_the_same_shelf_gives_the_same_bytes() -> None:
    """A second export of an unchanged library changes no file."""
    both = [[text_of(document) for document in MarkdownExporter().render(shelves.sample())] for _ in range(2)]
    assert both[0] == both[1]


def test_one_book_at_a_time_is_read() -> None:
    """The next book's highlights are not asked for before the document is."""
    shelf = shelves.sample()
    documents = iter(MarkdownExporter().render(shelf))
    next(documents)
    assert shelf.served == ["Pride and Prejudice"]


@pytest.mark.parametrize(
    ("at", "read"),
    [
        ("2024-08-22T18:10:00", "22 August 2024, 18:10"),
        ("2024-01-02T00:00:00", "2 January 2024, 00:00"),
        ("2024-08-22", "22 August 2024"),
        ("2024-13-22T18:10:00", "2024-13-22T18:10:00"),
        ("gestern", "gestern"),
    ],
)
def test_a_date_is_read_or_left_as_it_is_written(at: str, read: str) -> None:
    """In English whatever the locale, never in another time zone, and never guessed."""
    assert moment(at) == read


def test_a_span_of_one_day_is_that_day() -> None:
    """And one end that nobody knows is left out."""
    assert span("2024-08-22T01:00:00", "2024-08-22T02:00:00") == "22 August 2024"
    assert span(None, "2024-08-22") == "22 August 2024"
    assert span(None, None) == ""


def test_a_caption_holds_only_what_is_known() -> None:
    """A passage about which nothing is known has no caption; one location is not a range."""
    of = book()
    assert caption(passage(of)) == []
    assert caption(passage(of, location_start=5, location_end=5)) == ["location 5"]
    assert caption(passage(of, location_start=5)) == ["location 5"]


@pytest.mark.parametrize("free", ["page", "color"])
def test_a_caption_cannot_carry_markdown(free: str) -> None:
    """A page label or a colour from a hostile source stays on its line and stays text."""
    of = book()
    (quote,) = in_quotes(body(rendered(of, passage(of, **{free: "x*y*\n# z <b>"}))))
    assert "x*y*#z<b>" in shown(quote)
