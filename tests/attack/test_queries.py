"""Whatever is typed as a query is words to look for: never an operator of FTS5 or SQL, never an error of SQLite."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cli import SAMPLE, Kindlehl, facts

from kindlehl.domain.errors import UsageError
from kindlehl.ports import Filter
from kindlehl.services import finding, importing, sources
from kindlehl.services.querying import read
from kindlehl.store.library import empty_library
from kindlehl_plugins.clippings import ClippingsImporter

QUERIES = [
    '" OR text:*', 'text:woods OR note:woods', "NEAR(", "NEAR(woods went, 2)", "woods NEAR/2 went", '"', '""', '"""',
    '"woods',
    'woods"', '*"woods', "*", "**", "woods*x", "^woods", "-", "--", "- -", "-woods", '-"', "(", ")", "((((", "AND",
    "OR", "NOT",
    "woods AND", "AND AND", "NOT NOT", "{text}: woods", "{", "}", "text : woods", "+", "a + b", ":", "'", "';--",
    "'; DROP TABLE facts; --", "\\", "%", "_", "____",
    "\u0301", "\u200b", "\u202e", "😀", "智*", '"智 に"', "-智",
    "\u0e01", "\ufeff",
    "1" * 5000, "é" * 5000, "\U0001f468\u200d\U0001f469",
]  # fmt: skip


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Kindlehl:
    """Somebody who has imported the sample."""
    person = Kindlehl(tmp_path_factory.mktemp("searcher") / "home")
    person.ok("import", SAMPLE)
    return person


@pytest.fixture(scope="module")
def library():
    """The sample in memory."""
    held = empty_library()
    with sources.opened_path(SAMPLE, [ClippingsImporter()]) as source:
        importing.import_sources(held, [source])
    yield held
    held.close()


def test_no_query_is_an_exception(library) -> None:
    """Found, not found, or the sentence that there is no word; with a filter and without."""
    for query in QUERIES:
        for wanted in (Filter(), Filter(has_note=True)):
            with suppress(UsageError):
                finding.search(library, read(query, wanted), limit=20)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("\"*-+^:(){}'\\ \t\nwoods ANDORNEAR,0智é\u0301_.😀\0")), st.booleans())
def test_no_mixture_of_signs_is_an_exception(library, query: str, noted: bool) -> None:
    """The same for whatever Hypothesis thinks of."""
    with suppress(UsageError):
        finding.search(library, read(query, Filter(has_note=True) if noted else Filter()), limit=20)


def test_as_a_process_a_query_exits_0_or_2(searcher: Kindlehl) -> None:
    """A sample of them on the command line, and the library stays as it is."""
    before = facts(searcher.library)
    for query in QUERIES[::4]:
        done = searcher("search", "--", query)
        assert done.code in (0, 2), (query, done)
        assert "Traceback" not in done.err
        assert done.err.count("\n") <= 5
    assert facts(searcher.library) == before


@pytest.mark.parametrize("unit", ["woods ", "-woods ", '"', "w", "智", "woods* ", '"a b" ', "x -y "])
def test_a_query_of_a_hundred_kilobytes_is_answered(searcher: Kindlehl, unit: str) -> None:
    """Exit 0 or 2, in bounded time."""
    done = searcher("search", "--", unit * (100_000 // len(unit.encode())), timeout=30)
    assert done.code in (0, 2), done
    assert "Traceback" not in done.err
    assert len(done.err) < 1000


def test_operators_are_words(searcher: Kindlehl) -> None:
    """`text:*` finds the word "text", of which there is none; it does not find everything."""
    for query in ('" OR text:*', "woods AND xylophone", "woods NEAR xylophone", "woods OR", "woods or xylophone"):
        assert searcher("search", "--plain", "--", query).out == ""


def test_filters_are_values_too(searcher: Kindlehl) -> None:
    """Quotes, wildcards and SQL in a title, an author, a colour or a tag match nothing and break nothing."""
    for evil in ("' OR '1'='1", "%", '"; DROP TABLE facts; --', "_", "\\", "*"):
        for option in ("--color", "--tag", "--book", "--author"):
            done = searcher("list", "--plain", option, evil)
            assert done.code == 0, done
            assert "Traceback" not in done.err
        assert searcher("list", "--plain", "--color", evil).out == ""
        assert searcher("list", "--plain", "--tag", evil).out == ""
