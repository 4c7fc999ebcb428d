"""Looking at a library, as a process: what people and what programs read."""

import json
import re
from pathlib import Path

import pytest
from support.cli import PROMISED, SAMPLE, Kindlehl, bookmark, complaint, facts, highlight, note, query, shown, written

from kindlehl.cli.render import cells

LOOKING = (["list"], ["list", "--newest"], ["books"], ["search", "the"], ["list", "--bookmarks", "--clips"])


class TestPrograms:
    """What a program can rely on."""

    def test_list_json_names_its_schema_and_carries_every_promised_field(self, reader: Kindlehl) -> None:
        """`{"schema": "kindlehl/highlights/1", "items": […]}`; positions are numbers, tags a list, truncated a bool."""
        document = json.loads(reader.ok("list", "--json"))
        assert document["schema"] == "kindlehl/highlights/1"
        assert len(document["items"]) == 18
        for item in document["items"]:
            assert item.keys() >= PROMISED
            assert item["kind"] in ("highlight", "note")
            assert isinstance(item["tags"], list)
            assert isinstance(item["truncated"], bool)
            assert isinstance(item["location_start"], int | None)
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", item["added_at"])

    def test_what_the_file_says_is_what_the_list_says(self, reader: Kindlehl) -> None:
        """Text, note, place and time of one passage, word for word, and the bare note is of the kind note."""
        items = json.loads(reader.ok("list", "--json"))["items"]
        (sport,) = [item for item in items if "make sport for our neighbours" in item["text"]]
        assert sport["note"] == "Mr Bennet in one sentence.\nRead it to Anna."
        assert (sport["title"], sport["author"]) == ("Pride and Prejudice", "Austen, Jane")
        assert (sport["page"], sport["location_start"], sport["location_end"]) == ("364", 5573, 5574)
        assert sport["added_at"] == "2016-05-02T22:47:03"
        assert sport["source"] == "clippings"
        (bare,) = [item for item in items if item["kind"] == "note"]
        assert (bare["text"], bare["note"]) == ("", "Finished. Start again in January.")

    def test_jsonl_is_the_items_of_json_one_a_line(self, reader: Kindlehl) -> None:
        """The same objects in the same order."""
        for command in LOOKING:
            items = json.loads(reader.ok(*command, "--json"))["items"]
            assert [json.loads(line) for line in reader.ok(*command, "--jsonl").splitlines()] == items

    def test_plain_has_one_line_for_each_item_though_texts_have_several(self, kindlehl: Kindlehl) -> None:
        """Whatever counts as a line end somewhere: `wc -l` is the count."""
        path = kindlehl.home / "My Clippings.txt"
        odd = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei\tj"
        written(path, highlight(f"{odd}\nsecond line\r\nthird"), note(f"one\ntwo {odd}", location=2, second=5))
        assert kindlehl("import", path).code == 0
        for command in LOOKING:
            items = json.loads(kindlehl("list", "--json").out)["items"] if "list" in command else None
            out = kindlehl(*command, "--plain").out
            if items is not None:
                assert len(out.splitlines()) == out.count("\n") == len(items) == 1
            assert all(line.count("\t") == out.splitlines()[0].count("\t") for line in out.splitlines())

    def test_plain_counts_as_json_counts(self, reader: Kindlehl) -> None:
        """`kindlehl list --plain | wc -l` equals the number of items, for every command that lists."""
        for command in LOOKING:
            items = json.loads(reader.ok(*command, "--json"))["items"]
            assert reader.ok(*command, "--plain").count("\n") == len(items)

    def test_bookmarks_are_listed_only_when_asked_for(self, reader: Kindlehl) -> None:
        """A list of highlights is no list of dog-ears."""
        kinds = [item["kind"] for item in json.loads(reader.ok("list", "--json"))["items"]]
        assert set(kinds) == {"highlight", "note"}
        asked = [item["kind"] for item in json.loads(reader.ok("list", "--bookmarks", "--json"))["items"]]
        assert sorted(asked) == sorted([*kinds, "bookmark"])
        assert "bookmark" not in reader.ok("list")
        assert "bookmark" in reader.ok("list", "--bookmarks")

    def test_a_book_with_nothing_but_a_bookmark_is_listed_with_it(self, kindlehl: Kindlehl) -> None:
        """Nothing that was read is invisible everywhere."""
        kindlehl.ok("import", written(kindlehl.home / "c.txt", bookmark(title="Only Marked (Somebody)")))
        assert kindlehl.ok("list", "--json", "--bookmarks").count("Only Marked") == 1
        (book,) = json.loads(kindlehl.ok("books", "--json"))["items"]
        assert (book["highlights"], book["bookmarks"]) == (0, 1)

    def test_books_json_counts_what_each_holds(self, reader: Kindlehl) -> None:
        """Its schema, and counts that add up to what is listed."""
        document = json.loads(reader.ok("books", "--json"))
        assert document["schema"] == "kindlehl/books/1"
        assert sum(book["highlights"] for book in document["items"]) == 17
        assert {book["title"]: book["highlights"] for book in document["items"]}["Walden"] == 3

    def test_the_views_show_what_the_list_shows(self, reader: Kindlehl) -> None:
        """Datasette and sqlite-utils users read `v_highlights`: same passages, same words."""
        items = json.loads(reader.ok("list", "--json", "--bookmarks", "--clips"))["items"]
        rows = query(reader.library, "SELECT id, text, note, location_start, added_at FROM v_highlights")
        fields = ("id", "text", "note", "location_start", "added_at")
        assert sorted(rows) == sorted(tuple(item[name] for name in fields) for item in items)
        assert len(shown(reader.library)) == 19

    def test_two_formats_at_once_are_a_usage_error(self, reader: Kindlehl) -> None:
        """Nobody guesses which was meant."""
        for command in LOOKING:
            complaint(reader(*command, "--json", "--plain"), 2)

    def test_looking_changes_nothing(self, kindlehl: Kindlehl) -> None:
        """No command that looks changes a byte of the library."""
        kindlehl.ok("import", SAMPLE)
        before = kindlehl.library.read_bytes()
        for command in LOOKING:
            kindlehl.ok(*command)
        assert kindlehl.library.read_bytes() == before


class TestShow:
    """One passage, whole."""

    def test_every_form_that_the_device_wrote_is_shown(self, reader: Kindlehl) -> None:
        """A resized highlight is one passage; the earlier form and its note are there as records."""
        (item,) = [
            item for item in json.loads(reader.ok("list", "--json"))["items"] if item["text"].startswith("Vanity")
        ]
        document = json.loads(reader.ok("show", item["id"], "--json"))
        assert document["schema"] == "kindlehl/highlight/1"
        (whole,) = document["items"]
        assert {name: whole[name] for name in item} == item
        assert [record["text"] for record in whole["records"]] == [
            "Vanity and pride are different things,",
            item["text"],
        ]
        for record in whole["records"]:
            assert reader.ok("show", record["id"], "--json") == reader.ok("show", item["id"], "--json")
        out = reader.ok("show", item["id"])
        assert item["id"] in out
        assert "2016-04-19 21:05:12" in out

    def test_a_short_id_is_enough_and_must_be_of_one_passage(self, reader: Kindlehl) -> None:
        """As in git: the first letters; too few or unknown ones are refused with a sentence."""
        first = json.loads(reader.ok("list", "--json"))["items"][0]
        assert reader.ok("show", first["id"][:8]) == reader.ok("show", first["id"])
        complaint(reader("show", first["id"][:3]), 2)
        complaint(reader("show", "ffffffff"), 1)
        complaint(reader("show", "no id; DROP TABLE facts"), 2)


class TestSearch:
    """Finding what one remembers."""

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (["deliberately"], ["I went to the woods"]),
            (["frittered", "away"], ["Our life is frittered"]),
            (['"lives of quiet"'], ["The mass of men"]),
            (["QUIET"], ["The mass of men"]),
            (["notifications"], ["Our life is frittered"]),
            (["fur"], ["man muss noch Chaos"]),
            (["gebaren"], ["man muss noch Chaos"]),
            (["智に"], ["智に働けば"]),
            (["之行"], ["千里之行"]),
            (["wisdomless"], []),
            (["thoughts", "--no-note", "--author", "aurelius"], ["Such as are thy"]),
            (["the", "--book", "walden", "--since", "2017-01-08", "--until", "2017-01-15"], ["I went to the woods"]),
            (["life", "--book", "walden", "--has-note"], ["Our life is frittered"]),
            (["life", "--no-note"], ["I went to the woods"]),
        ],
    )
    def test_words_find_passages_by_text_and_by_note(
        self, reader: Kindlehl, query: list[str], found: list[str]
    ) -> None:
        """Case and diacritics aside, two characters of a script without spaces, and with every filter."""
        document = json.loads(reader.ok("search", *query, "--json"))
        assert document["schema"] == "kindlehl/highlights/1"
        texts = [item["text"] for item in document["items"]]
        assert len(texts) == len(found), texts
        assert all(any(text.startswith(start) for text in texts) for start in found)
        for item in document["items"]:
            assert item.keys() >= PROMISED | {"snippet"}

    def test_nothing_found_is_no_error(self, reader: Kindlehl) -> None:
        """An empty list is a list: exit 0, standard output empty or an empty document, a word on stderr for people."""
        done = reader("search", "xylophone")
        assert (done.code, done.out) == (0, "")
        assert done.err.count("\n") == 1
        assert json.loads(reader.ok("search", "xylophone", "--json"))["items"] == []
        assert reader.ok("search", "xylophone", "--plain") == ""

    def test_a_day_that_is_none_is_a_usage_error(self, reader: Kindlehl) -> None:
        """No date is guessed."""
        for day in ("2017-13", "2017-02-30", "yesterday", "", "15.1.2017", "1/15/2017"):
            complaint(reader("list", "--since", day), 2)


class TestPeople:
    """What a person sees."""

    def test_an_empty_library_says_what_to_do_on_stderr_only(self, kindlehl: Kindlehl) -> None:
        """Exit 0, standard output empty, and looking makes no file."""
        for command in (["list"], ["books"], ["search", "words"]):
            done = kindlehl(*command)
            assert (done.code, done.out) == (0, "")
            assert "kindlehl import" in done.err
        assert json.loads(kindlehl.ok("list", "--json"))["items"] == []
        assert kindlehl.ok("list", "--plain") == ""
        assert not list(kindlehl.home.iterdir())

    def test_the_list_shows_title_text_note_place_and_day(self, reader: Kindlehl) -> None:
        """By book, in reading order."""
        out = reader.ok("list", "--book", "walden")
        assert out.startswith("Walden — Thoreau, Henry David\n")
        order = ["The mass of men", "I went to the woods", "Our life is frittered", "note: and by notifications"]
        assert [out.index(words) for words in order] == sorted(out.index(words) for words in order)
        assert "location 1312–1315 · 2017-01-15 00:04:59" in out

    def test_no_colour_unless_on_a_terminal_and_wanted(self, reader: Kindlehl) -> None:
        """NO_COLOR beats FORCE_COLOR, an empty NO_COLOR counts for nothing, TERM=dumb has none."""
        assert "\x1b" not in reader.ok("list")
        assert "\x1b[" in reader.ok("list", env={"FORCE_COLOR": "1"})
        assert "\x1b" not in reader.ok("list", env={"FORCE_COLOR": "1", "NO_COLOR": "1"})
        assert "\x1b[" in reader.on_terminal("list").out
        assert "\x1b[" in reader.on_terminal("list", env={"NO_COLOR": ""}).out
        assert "\x1b" not in reader.on_terminal("list", env={"NO_COLOR": "1"}).out
        assert "\x1b" not in reader.on_terminal("list", env={"TERM": "dumb"}).out
        assert "\x1b" not in reader.on_terminal("list", "--json").out
        assert "\x1b" not in reader.on_terminal("list", "--plain").out

    def test_what_was_found_stands_out_and_the_words_stay_the_same(self, reader: Kindlehl) -> None:
        """Colour is added, nothing is lost: without the styles it is what a pipe gets."""
        colored = reader.ok("search", "woods", env={"FORCE_COLOR": "1"})
        assert "\x1b[1;33mwoods\x1b[0m" in colored
        assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == reader.ok("search", "woods")

    @pytest.mark.parametrize("command", [["search", "the", "of"]], ids=lambda c: c[0])
    def test_a_narrow_terminal_gets_no_line_wider_than_itself(
        self, kindlehl: Kindlehl, tmp_path: Path, command: list[str]
    ) -> None:
        """Forty cells, wide characters counted as two; only an id may not be broken."""
        kindlehl.ok("import", SAMPLE)
        ids = [item["id"] for item in json.loads(kindlehl.ok("list", "--json", "--bookmarks"))["items"]]
        for arguments in [[id_] for id_ in ids] if command == ["show"] else [[]]:
            done = kindlehl.on_terminal(*command, *arguments, env={"COLUMNS": "40", "NO_COLOR": "1"}, columns=40)
            assert done.code == 0
            wide = [line for line in done.out.splitlines() if cells(line) > 40]
            assert not wide

    def test_a_locale_without_unicode_gets_stand_ins_and_no_traceback(self, reader: Kindlehl) -> None:
        """LC_ALL=C, LC_ALL=POSIX without Python's mending, and plain ASCII."""
        worlds = (
            {"LC_ALL": "C"},
            {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
            {"PYTHONIOENCODING": "ascii"},
            {"PYTHONIOENCODING": "latin-1"},
        )
        for world in worlds:
            for command in (*LOOKING, ["books", "--json"], ["list", "--plain"], ["list", "--jsonl"], ["-h"]):
                done = reader(*command, env=world)
                assert (done.code, done.err) == (0, ""), done
                assert done.out

    def test_every_promise_holds_in_every_library_of_facts(self, reader: Kindlehl) -> None:
        """Each record of a fact is reachable: its id finds the passage it belongs to."""
        recorded = [json.loads(body) for _, body in facts(reader.library) if '"type":"record"' in body]
        recorded = recorded or [json.loads(body) for _, body in facts(reader.library)]
        ids = [fact["id"] for fact in recorded if "raw_title" in fact]
        assert len(ids) == 26
        for id_ in ids[::5]:
            assert reader("show", id_).code == 0
