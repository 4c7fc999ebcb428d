"""Finding, as a process: one language for list, search and random; saved searches; corrections; a lot."""

import json
from collections import Counter

import pytest
from support.cli import Kindlehl, complaint, digest


def texts(out: str) -> list[str]:
    """The beginnings of what a document lists."""
    return [(item["text"] or item["note"] or item["kind"])[:15] for item in json.loads(out)["items"]]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (["author:thoreau"], 3),
        (["author:henry-thoreau", "life"], 2),
        (["title:walden", "-life"], 1),
        (["title:walden", "-has:note", "since:2017-01-15"], 1),
        (["author:le guin"], 0),
        (["author:marcus aurelius", "the"], 3),
        (["the", "-author:aurelius", "OR"], 0),
        (["wildness", "OR", "title:walden"], 4),
        (["on:2016-04"], 2),
        (["is:bookmark"], 1),
        (["is:note"], 1),
        (["note:notifications"], 1),
        (["text:notifications"], 0),
        (["lives of quiet"], 1),
        (["-the", "author:aurelius"], 1),
        (["-author:aurelius", "OR", "is:note", "the", "of"], 3),
        (["life tag:none"], 0),
    ],
)
def test_list_search_and_random_mean_the_same(reader: Kindlehl, query: list[str], count: int) -> None:
    """Whatever the order, the same passages."""
    listed = texts(reader.ok("list", *query, "--json"))
    assert len(listed) == count
    for command in (["search", "--exact"], ["search", "--exact", "--newest"], ["random", "--count", "50"]):
        assert sorted(texts(reader.ok(*command, *query, "--json"))) == sorted(listed)


def test_the_order_can_be_chosen(reader: Kindlehl) -> None:
    """Newest, oldest and by book; two at once are refused."""
    times = [item["added_at"] for item in json.loads(reader.ok("search", "the", "--newest", "--json"))["items"]]
    assert times == sorted(times, reverse=True)
    oldest = [item["added_at"] for item in json.loads(reader.ok("list", "the", "--oldest", "--json"))["items"]]
    assert oldest == sorted(times)
    assert texts(reader.ok("search", "the", "--by-book", "--json")) == texts(reader.ok("list", "the", "--json"))
    assert reader.ok("search", "the", "--best") == reader.ok("search", "the")
    complaint(reader("search", "the", "--best", "--oldest"), 2)
    complaint(reader("list", "--newest", "--oldest"), 2)


def test_a_query_and_options_both_have_to_hold(reader: Kindlehl) -> None:
    """Either way to say it."""
    assert texts(reader.ok("search", "life", "--book", "walden", "has:note", "--json")) == ["Our life is fri"]
    assert reader.ok("search", "--author", "thoreau", "--plain") == reader.ok("search", "author:thoreau", "--plain")


def test_a_search_for_nothing_is_refused(reader: Kindlehl) -> None:
    """With an example."""
    for query in ([], ["!"], ["…", "?"]):
        assert "courage" in complaint(reader("search", *query), 2)


@pytest.mark.parametrize(
    "query", ["tag:\udcff", "a\udcffb", "title:a\udcff", '-"\udcff x"', "--book=\udcff", "--tag=\udcff"]
)
def test_bytes_that_are_no_text_find_nothing_and_break_nothing(reader: Kindlehl, query: str) -> None:
    """As a shell passes them on; `random` has no options for them."""
    for command in ("list", "search") if query.startswith("--") else ("list", "search", "random"):
        assert reader(command, query).code == 0


def test_an_unknown_key_is_told_with_the_nearest(reader: Kindlehl) -> None:
    """In every command that takes a query."""
    for command in ("list", "search", "random", "pick"):
        assert "Did you mean author:?" in complaint(reader(command, "autor:x"), 2)


def test_a_slip_is_forgiven_and_told(reader: Kindlehl) -> None:
    """On standard error for people, in the document for programs; not with --exact."""
    done = reader("search", "delibrately")
    assert done.code == 0
    assert "I went to the woods" in done.out
    assert done.err == "Nothing for “delibrately”; showing “deliberately”.\n"
    document = reader("search", "delibrately", "--json").json
    assert document["corrected"] == {"delibrately": "deliberately"}
    assert reader("search", "deliberately", "--json").json["corrected"] == {}
    exact = reader("search", "delibrately", "--exact")
    assert (exact.code, exact.out) == (0, "")
    assert exact.err == "No highlight has these words.\n"


def test_a_word_of_a_title_leads_to_the_book(reader: Kindlehl) -> None:
    """Words are looked for in text and note; the sentence says where else they stand."""
    done = reader("search", "walden")
    assert (done.code, done.out) == (0, "")
    assert done.err == "No highlight has these words; the title of 1 book has: try title:walden\n"
    assert "No title has “waldn”. Did you mean title:walden?" in reader("list", "--book", "waldn").err


def test_a_hit_in_a_note_shows_text_and_note(reader: Kindlehl) -> None:
    """Each in its place."""
    out = reader.ok("search", "notifications")
    assert "320aba02  Our life is frittered away by detail.\n          note: and by notifications\n" in out


class TestSaved:
    """Searches with a name."""

    def test_a_search_is_saved_used_listed_and_forgotten(self, reader: Kindlehl) -> None:
        """In the configuration, whose other lines stay."""
        config = reader.home / "config" / "kindlehl" / "config.toml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text("# mine\nwait = 3.0  # stays\n", "utf-8")
        done = reader("search", "--save", "simple", "author:thoreau", "lives of quiet")
        assert (done.code, done.out) == (0, "")
        assert reader.ok("search", "@simple") == reader.ok("search", "author:thoreau", '"lives of quiet"')
        assert reader.ok("list", "@simple", "-mass", "--plain") == ""
        assert reader("search", "--save", "wider", "@simple", "OR", "x").code == 2
        assert reader("search", "--save", "both", "@simple", "mass").code == 0
        assert reader.ok("search", "--saved") == (
            'simple\tauthor:thoreau "lives of quiet"\nboth\tauthor:thoreau "lives of quiet" mass\n'
        )
        document = json.loads(reader.ok("search", "--saved", "--json"))
        assert document["schema"] == "kindlehl/searches/1"
        assert document["items"][0] == {"name": "simple", "query": 'author:thoreau "lives of quiet"'}
        for name in ("simple", "both"):
            assert reader("search", "--forget", name).code == 0
        assert reader("search", "--saved").out == ""
        assert config.read_text("utf-8").startswith("# mine\nwait = 3.0  # stays\n")

    def test_saving_again_says_what_was_there(self, kindlehl: Kindlehl) -> None:
        """So that it can be typed once more."""
        kindlehl("search", "--save", "a", "one")
        assert "It was: one" in kindlehl("search", "--save", "@a", "two").err

    def test_a_name_that_is_not_there_is_told_with_the_nearest(self, kindlehl: Kindlehl) -> None:
        """To use and to forget."""
        kindlehl("search", "--save", "courage", "courage")
        assert "Did you mean @courage?" in complaint(kindlehl("search", "@courgae"), 1)
        assert "Did you mean @courage?" in complaint(kindlehl("search", "--forget", "courgae"), 1)

    def test_what_cannot_be_saved_is_refused(self, kindlehl: Kindlehl) -> None:
        """And nothing is written."""
        for args in (["a.b", "x"], ["a"], ["a", "autor:x"], ["a", "x", "--tag", "y"], ["a", "x", "--saved"]):
            complaint(kindlehl("search", "--save", *args), 2)
        complaint(kindlehl("search", "--saved", "x"), 2)
        assert not (kindlehl.home / "config").exists()

    def test_a_configuration_that_is_none_is_told_and_left_alone(self, kindlehl: Kindlehl) -> None:
        """A search without @ does not even read it, where the library is named elsewhere."""
        config = kindlehl.home / "config" / "kindlehl" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_bytes(b"[searches\n\xff")
        kindlehl.env["KINDLEHL_LIBRARY"] = str(kindlehl.library)
        for args in (["@a"], ["--save", "a", "x"], ["--forget", "a"]):
            done = kindlehl("search", *args)
            assert done.code in (1, 2), done
            assert "config.toml" in done.err
        assert kindlehl("search", "x").code == 0
        assert config.read_bytes() == b"[searches\n\xff"


class TestRandom:
    """A lot."""

    def test_one_is_drawn_and_nothing_is_changed(self, reader: Kindlehl) -> None:
        """Another now and then."""
        before = digest(reader.library)
        drawn = Counter(texts(reader.ok("random", "--json"))[0] for _ in range(8))
        assert len(drawn) > 1
        assert reader.ok("random").count(" · ") >= 1
        assert digest(reader.library) == before

    def test_a_seed_draws_the_same_again(self, reader: Kindlehl) -> None:
        """In every format."""
        for form in ("--plain", "--json", "--jsonl"):
            assert reader.ok("random", "-n", "4", "--seed", "x", form) == reader.ok(
                "random", "-n", "4", "--seed", "x", form
            )
        assert reader.ok("random", "-n", "99", "--per-book", "--plain").count("\n") == 9

    def test_of_nothing_nothing_is_drawn(self, kindlehl: Kindlehl, reader: Kindlehl) -> None:
        """In a login shell of a new user this is no error."""
        done = kindlehl("random")
        assert (done.code, done.out) == (0, "")
        assert "kindlehl import" in done.err
        assert reader("random", "xylophone").err == "No highlight has these words.\n"
