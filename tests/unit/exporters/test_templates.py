"""A reader's own template: its shape, merged like ours; and nothing but the given data within its reach."""

import re

import pytest

from kindlehl.domain.contract import Template
from kindlehl.domain.errors import UsageError
from kindlehl_exporters.markdown import MarkdownExporter

from .shelves import book, one, passage

PASSAGE = "{% macro passage(h) %}\n@\n{% endmacro %}\n"


def rendered(text: str, *passages: str) -> list[str]:
    """The blocks of a book, in the shape of a template."""
    of = book("Walden")
    exporter = MarkdownExporter()
    exporter.template = Template("mine.j2", text)
    shelf = one(of, *(passage(of, each, chapter="Economy") for each in passages or ("Simplify.",)))
    return [block.data.decode() for document in exporter.render(shelf) for block in document.blocks]


def test_head_chapter_and_passage_have_the_shape_of_the_template() -> None:
    """Each where it is given; the front matter is ours."""
    front, head, chapter, first = rendered(
        "{% macro head(book) %}\n# {{ book.title }} by {{ book.author }}\n{% endmacro %}\n"
        "{% macro chapter(name) %}\n### {{ name }}\n{% endmacro %}\n" + PASSAGE.replace("@", "- {{ h.text }}")
    )
    assert front.startswith("---\n")
    assert (head, chapter) == ("\n# Walden by Henry David Thoreau\n", "\n### Economy\n")
    assert re.fullmatch(r"\n- Simplify\.\n\n\^kh-[0-9a-f]{12}\n", first)


def test_without_head_and_chapter_they_are_as_ever() -> None:
    """A template of one macro is a whole template."""
    assert rendered(PASSAGE.replace("@", "{{ h.text | quote }}"))[1:3] == ["\n# Walden\n", "\n## Economy\n"]


def test_a_marker_that_the_template_places_is_not_written_twice() -> None:
    """At the end of a line, as Obsidian has it for list items."""
    last = rendered(PASSAGE.replace("@", "- {{ h.text }} ^{{ h.anchor }}"))[-1]
    assert re.fullmatch(r"\n- Simplify\. \^kh-[0-9a-f]{12}\n", last)


def test_words_of_a_book_are_no_marker() -> None:
    """Raw text that looks like a block id of another passage is only text."""
    last = rendered(PASSAGE.replace("@", "{{ h.text }}"), "One.\n^kh-0123456789ab\nTwo ^kh-ba9876543210")[-1]
    assert last.count("\n\\^kh-0123456789ab") == 1
    assert len(re.findall(r"(?<!\\)\^kh-", last)) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "too long"),
        ("{{ 'x' * 1000000000 }}", "more than plain data"),
        ("{{ 9 ** 999999999 }}", "more than plain data"),
        ("{{ '%1000000000d' % 1 }}", "more than plain data"),
        ("{{ 'x' | center(2000000000) }}", "too much memory"),
        (
            "{% set n = namespace(s='x' ) %}{% for a in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}",
            "too much memory",
        ),
        ("{{ range(1000000000) | list }}", "fails (OverflowError)|too much memory"),
        ("{{ ''.__class__.__mro__ }}", "more than plain data"),
        ("{{ h.text.format() }}", "more than plain data"),
        ("{{ h['__class__'] }}", "does not exist"),
        ("{{ passage.__globals__ }}", "more than plain data"),
        ("{{ self.__init__ }}", "more than plain data"),
        ("{{ h.text | attr('__class__') }}", "no Jinja"),
        ("{% include '/etc/passwd' %}", "reads another template"),
        ("{% import 'os' as os %}", "reads another template"),
        ("{{ h.nothing }}", "name that does not exist"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{% if %}", "no Jinja"),
    ],
)
def test_what_a_template_may_not_do_is_a_sentence_with_its_line(line: str, says: str) -> None:
    """It is stopped, by name and line, and no text of a highlight is told."""
    with pytest.raises(UsageError) as raised:
        rendered(PASSAGE.replace("@", "a\n" + line), "Zyzzogeton.")
    message = raised.value.message
    assert any(each in message for each in says.split("|")), message
    assert message.startswith("The template mine.j2, line 3, "), message
    assert "Zyzzogeton" not in message


def test_a_template_without_a_passage_is_refused() -> None:
    """There would be nothing to merge."""
    with pytest.raises(UsageError, match="has no macro `passage"):
        rendered("hello")


def test_what_stands_outside_of_macros_is_stopped_too() -> None:
    """It runs when the template is read."""
    with pytest.raises(UsageError, match="line 1, takes too long"):
        rendered("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}\n" + PASSAGE)
