"""A library one can touch: every change from the command line, and every change taken back."""

import re
import stat
from pathlib import Path

import pytest
from support.cli import SAMPLE, Kindlehl, bound_by_permissions, complaint, digest, highlight, note, shown, written

WALDEN = "320aba02"
PRIDE = "c008b30d"


@pytest.fixture
def reader(kindlehl: Kindlehl) -> Kindlehl:
    """Somebody with the sample in her library."""
    kindlehl.ok("import", SAMPLE)
    return kindlehl


def item(reader: Kindlehl, id_: str) -> dict[str, object]:
    (found,) = reader("show", id_, "--json").json["items"]
    return found


def editor(folder: Path, script: str) -> dict[str, str]:
    """An editor that does this to the file it is given."""
    program = folder / "editor.sh"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"EDITOR": str(program), "VISUAL": ""}


class TestFields:
    """What can be said of a highlight."""

    def test_a_note_replaces_the_devices_and_undo_brings_that_back(self, reader: Kindlehl) -> None:
        """The Kindle's own note is not overwritten, only replaced."""
        was = shown(reader.library)
        assert item(reader, WALDEN)["note"] == "and by notifications"
        reader.ok("note", WALDEN, "simpler", "than", "that")
        assert item(reader, WALDEN)["note"] == "simpler than that"
        reader.ok("note", WALDEN, "--clear")
        assert item(reader, WALDEN)["note"] is None
        reader.ok("undo")
        reader.ok("undo")
        assert shown(reader.library) == was

    def test_a_later_draft_from_the_kindle_is_no_conflict_after_an_undo(
        self, kindlehl: Kindlehl, tmp_path: Path
    ) -> None:
        """An undo leaves no scar: the note is the device's again, and so are its drafts."""
        file = tmp_path / "My Clippings.txt"
        first = [highlight("Simplify, simplify.", start=5), note("so true", location=6, second=9)]
        kindlehl.ok("import", written(file, *first))
        (found,) = kindlehl("list", "--json").json["items"]
        kindlehl.ok("note", found["id"], "mine")
        kindlehl.ok("undo")
        kindlehl.ok("import", written(file, *first, note("so very true", location=6, second=30)))
        (found,) = kindlehl("list", "--json").json["items"]
        assert (found["note"], found["conflicts"]) == ("so very true", [])

    def test_tags_colour_and_favourite(self, reader: Kindlehl) -> None:
        """Several at once; a tag is spelled like the one that is there; what is so already is no operation."""
        reader.ok("tag", "Craft,#war", WALDEN, PRIDE)
        reader.ok("tag", "craft", PRIDE)
        reader.ok("color", "Grey", WALDEN)
        reader.ok("favorite", WALDEN)
        found = item(reader, WALDEN)
        assert (found["tags"], found["color"], found["favorite"]) == (["Craft", "war"], "gray", True)
        assert item(reader, PRIDE)["tags"] == ["Craft", "war"]
        reader.ok("tag", "war", WALDEN, "--remove")
        reader.ok("color", "none", WALDEN)
        reader.ok("favorite", WALDEN, "--off")
        found = item(reader, WALDEN)
        assert (found["tags"], found["color"], found["favorite"]) == (["Craft"], None, False)
        operations = reader("undo", "--list", "--json").json["items"]
        assert [o["verb"] for o in operations] == ["favorite", "color", "tag", "favorite", "color", "tag", "import"]

    def test_of_two_tags_that_differ_in_case_the_very_one_is_meant(self, reader: Kindlehl) -> None:
        """Two devices may have spelled them."""
        with_both = reader.home / "library.json"
        other = Kindlehl(reader.home / "other")
        other.ok("import", SAMPLE)
        other.ok("tag", "craft", WALDEN)
        other.ok("export", "json", "--to", with_both)
        reader.ok("tag", "Craft", WALDEN)
        reader.ok("import", with_both)
        reader.ok("tag", "craft", WALDEN, "--remove")
        assert item(reader, WALDEN)["tags"] == ["Craft"]

    def test_what_one_types_is_found_and_in_the_documented_view(self, reader: Kindlehl) -> None:
        """At once, and the note it replaced is not found any more."""
        reader.ok("note", WALDEN, "a zebra of a thought")
        assert [h["id"][:8] for h in reader("search", "zebra", "--json").json["items"]] == [WALDEN]
        assert reader("search", "notifications", "--exact", "--json").json["items"] == []

    @pytest.mark.parametrize(
        ("args", "sentence"),
        [
            (("color", "puce", WALDEN), "puce is no colour"),
            (("tag", "  ", WALDEN), "is no tag"),
            (("note", WALDEN), "no note to write"),
            (("note", WALDEN, "-"), None),
            (("tag", "x"), "Say which highlights"),
            (("tag", "x", WALDEN, "--where", "walden"), "Say which highlights"),
            (("tag", "x", "--where", "nosuchword"), "Nothing matches"),
            (("delete", "ffffffff"), "no highlight with the id"),
            (("delete", "xyz"), "is no id"),
            (("restore", WALDEN), "not in the trash"),
            (("split", WALDEN, "00000000"), "no form of it"),
            (("merge", WALDEN, WALDEN), "Two highlights"),
            (("merge", WALDEN, PRIDE), "different books"),
            (("books", "rename", "walden"), "what to call it"),
            (("books", "rename", "nosuchbook", "--title", "x"), "no book called"),
            (("books", "merge", "walden"), "two books"),
            (("books", "split", "walden", "zzz"), "No source calls"),
            (("conflicts", WALDEN), "what to keep"),
            (("conflicts", WALDEN, "--keep", "A"), "Nothing is open"),
            (("redo",), "nothing to redo"),
            (("undo", "zzzz"), "no operation"),
            (("add", " ", "--book", "walden"), "no text"),
            (("add", "x", "--book", "walden", "--location", "x"), "no location"),
            (("add", "x", "--book", "walden", "--date", "2024-13-01"), "no day"),
            (("history", "ffffffff"), "no highlight"),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_gets_a_sentence_and_changes_nothing(
        self, reader: Kindlehl, args: tuple[str, ...], sentence: str | None
    ) -> None:
        """And a hint that says what does."""
        was = digest(reader.library)
        done = reader(*args, stdin=b"")
        told = complaint(done, done.code)
        assert done.code in (1, 2)
        assert sentence is None or sentence in told
        assert digest(reader.library) == was


class TestBulk:
    """All that a query means."""

    def test_it_is_shown_and_asked_for(self, reader: Kindlehl) -> None:
        """Without anybody to ask, nothing happens and the option is named."""
        was = digest(reader.library)
        done = reader("tag", "woods", "--where", "title:walden")
        assert done.code == 2
        assert "3 highlights: tag woods" in done.err
        assert "--yes" in done.err.splitlines()[-1]
        assert digest(reader.library) == was

    def test_a_query_of_several_conditions_and_words_is_one_piece_for_the_shell(self, reader: Kindlehl) -> None:
        """A word after a condition is not taken for a part of it; a saved search may stand among them."""
        reader.ok("search", "--save", "mine", "author:thoreau", "--quiet")
        for query in ("author:thoreau frittered", "@mine frittered", 'frittered author:"henry david"'):
            done = reader("tag", "x", "--where", query, "--dry-run", "--json")
            assert done.json["ids"][0].startswith(WALDEN), done
            assert done.json["changes"] == 1

    def test_yes_goes_on_and_one_undo_takes_all_of_it_back(self, reader: Kindlehl) -> None:
        """One command is one operation."""
        was = shown(reader.library)
        assert reader("tag", "woods", "--where", "title:walden", "--yes").out == "Tagged: 3.\n"
        assert len(reader("list", "tag:woods", "--json").json["items"]) == 3
        reader.ok("undo")
        assert shown(reader.library) == was

    @pytest.mark.parametrize(
        "args",
        [("tag", "craft"), ("color", "blue"), ("favorite",), ("delete",), ("restore",), ("trash", "empty")],
        ids=" ".join,
    )
    def test_a_dry_run_tells_programs_what_would_be_changed(self, reader: Kindlehl, args: tuple[str, ...]) -> None:
        """The document of the change itself, without an operation."""
        reader.ok("delete", PRIDE)
        meant = [] if args[0] == "trash" else ["--where", "author:austen" if args[0] == "restore" else "author:thoreau"]
        was = digest(reader.library)
        document = reader(*args, *meant, "--dry-run", "--json").json
        assert (document["dry_run"], document["op"]) == (True, None)
        assert document["changes"] == len(document["ids"]) > 0
        assert digest(reader.library) == was

    def test_a_dry_run_leaves_no_trace(self, reader: Kindlehl) -> None:
        """Not even in the journal."""
        was = digest(reader.library), reader("undo", "--list").out
        done = reader("delete", "--where", "title:walden", "--dry-run")
        assert (done.code, done.out) == (0, "")
        assert "3 highlights: delete" in done.err
        assert (digest(reader.library), reader("undo", "--list").out) == was


class TestTrash:
    """Deleted stays deleted, until somebody wants it back."""

    def test_deleted_is_in_the_trash_and_nowhere_else_and_comes_back(self, reader: Kindlehl) -> None:
        """With all that was said of it."""
        reader.ok("tag", "craft", WALDEN)
        was = shown(reader.library)
        reader.ok("delete", WALDEN)
        assert WALDEN not in reader("list", "--plain").out
        assert reader("search", "frittered", "--exact", "--json").json["items"] == []
        assert [h["id"][:8] for h in reader("trash", "list", "--json").json["items"]] == [WALDEN]
        reader.ok("import", SAMPLE)
        assert WALDEN not in reader("list", "--plain").out
        reader.ok("restore", WALDEN)
        assert shown(reader.library) == was

    def test_an_old_file_revives_nothing_and_the_import_says_so(self, reader: Kindlehl, tmp_path: Path) -> None:
        """The file is read as from another device."""
        reader.ok("delete", WALDEN)
        copy = tmp_path / "old.txt"
        copy.write_bytes(SAMPLE.read_bytes() + highlight("A new one.", start=9000, second=3).encode())
        done = reader("import", copy)
        assert done.code == 0
        assert WALDEN not in reader("list", "--plain").out

    def test_emptied_leaves_no_word_in_any_file_and_what_is_shown_as_it_was(self, reader: Kindlehl) -> None:
        """Neither in the library, nor in its log, nor in the index."""
        reader.ok("note", WALDEN, "zebrafinch")
        reader.ok("tag", "okapi", WALDEN)
        reader.ok("delete", WALDEN)
        was = shown(reader.library)
        done = reader("trash", "empty", "--yes")
        assert done.code == 0, done
        assert shown(reader.library) == was
        for file in reader.library.parent.rglob("*"):
            if file.is_file():
                held = file.read_bytes().lower()
                assert not [word for word in (b"zebrafinch", b"okapi", b"frittered") if word in held], file
        reader.ok("import", SAMPLE)
        assert shown(reader.library) == was
        assert reader("trash", "list", "--json").json["items"] == []
        assert "cannot be undone" in complaint(reader("undo"), 1)

    def test_emptied_leaves_nothing_of_a_merge_that_was_taken_back(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """The words that it put together lie with the other highlight, where nobody sees them."""
        entries = (
            highlight("The mass of men lead", start=5), note("zebra", location=6, second=2),
            highlight("lives of quiet okapi.", start=9, second=5), note("finch", location=10, second=6),
        )  # fmt: skip
        kindlehl.ok("import", written(tmp_path / "c.txt", *entries))
        one, two = (h["id"] for h in kindlehl("list", "--json").json["items"])
        kindlehl.ok("note", one, "mine")
        kindlehl.ok("merge", one, two)
        kindlehl.ok("edit", one, env=editor(tmp_path, 'sed -i "s/lives/life/; s/mine/yours/" "$1"'))
        kindlehl.ok("undo")
        kindlehl.ok("undo")
        kindlehl.ok("delete", two)
        was = shown(kindlehl.library)
        kindlehl.ok("trash", "empty", "--yes")
        assert shown(kindlehl.library) == was
        assert "okapi" not in kindlehl.ok("history", one)
        for file in kindlehl.library.parent.rglob("*"):
            held = file.read_bytes().lower() if file.is_file() else b""
            assert not [word for word in (b"okapi", b"finch") if word in held], file
        assert b"zebra" in kindlehl.library.read_bytes()

    def test_of_a_book_that_is_hidden_too_nothing_comes_back(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """What was erased by the one title is not brought in by another of the same book."""
        last = highlight("Nor iron bars a cage.", "Walden (Henry David Thoreau)", start=90, second=5)
        erased = highlight("Simplify.", start=5), highlight("Simplify.", "Walden (Henry David Thoreau)", start=5)
        kindlehl.ok("import", written(tmp_path / "c.txt", erased[0], last))
        kindlehl.ok("delete", "--where", "simplify", "--yes", "--quiet")
        kindlehl.ok("books", "hide", "walden")
        kindlehl.ok("trash", "empty", "--yes")
        kindlehl.ok("import", written(tmp_path / "d.txt", erased[1]))
        kindlehl.ok("books", "hide", "walden", "--off")
        assert [h["text"] for h in kindlehl("list", "--json").json["items"]] == ["Nor iron bars a cage."]

    def test_books_that_were_one_through_an_erased_title_stay_one(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """The reader joined the first with it, and its title was that of the third."""
        titles = "Tale", "Tale of Two (Dickens, Charles)", "Tale  of Two (Charles Dickens)"
        entries = [highlight(f"part {n}", title, start=9 * n, second=n) for n, title in enumerate(titles)]
        kindlehl.ok("import", written(tmp_path / "c.txt", *entries))
        one, two = (b["id"] for b in kindlehl("books", "--json").json["items"])
        kindlehl.ok("books", "merge", one, two)
        kindlehl.ok("delete", "--where", '"part 1"', "--yes", "--quiet")
        kindlehl.ok("trash", "empty", "--yes")
        assert len(kindlehl("books", "--json").json["items"]) == 1

    def test_what_was_parted_in_the_trash_is_restored_alone(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """One deletion put both there, when they were one passage of one book."""
        titles = "Tale (Dickens, Charles)", "Tale  (Charles Dickens)"
        entries = [highlight("part of it", title, start=9, second=n) for n, title in enumerate(titles)]
        entries += [highlight("more", title, start=90, second=9 + n) for n, title in enumerate(titles)]
        kindlehl.ok("import", written(tmp_path / "c.txt", *entries))
        kindlehl.ok("delete", "--where", '"part of it"', "--yes", "--quiet")
        kindlehl.ok("books", "split", "Tale", "Tale  (Charles Dickens)")
        one, two = (h["id"] for h in kindlehl("trash", "list", "--json").json["items"])
        was = shown(kindlehl.library)
        kindlehl.ok("restore", one)
        assert [h["id"] for h in kindlehl("trash", "list", "--json").json["items"]] == [two]
        kindlehl.ok("restore", two)
        assert kindlehl("trash", "list", "--json").json["items"] == []
        kindlehl.ok("undo")
        kindlehl.ok("undo")
        assert shown(kindlehl.library) == was

    def test_what_is_in_the_trash_is_restored_by_its_words(self, reader: Kindlehl) -> None:
        """A query means the same there."""
        was = shown(reader.library)
        reader.ok("delete", WALDEN, PRIDE)
        reader.ok("restore", "--where", "frittered", "--yes", "--quiet")
        assert [h["id"][:8] for h in reader("trash", "list", "--json").json["items"]] == [PRIDE]
        reader.ok("restore", "--where", "title:pride", "--yes", "--quiet")
        assert shown(reader.library) == was

    def test_emptying_asks(self, reader: Kindlehl) -> None:
        """And does nothing where nobody can answer."""
        reader.ok("delete", WALDEN)
        was = digest(reader.library)
        assert "--yes" in complaint(reader("trash", "empty"), 2)
        reader("trash", "empty", "--dry-run")
        assert digest(reader.library) == was
        reader.ok("restore", WALDEN)


class TestJoining:
    """What is one highlight, and what is one book."""

    def test_two_halves_over_a_page_turn_become_one_and_undo_parts_them(
        self, kindlehl: Kindlehl, tmp_path: Path
    ) -> None:
        """No word is hidden."""
        halves = highlight("The mass of men lead", start=5), highlight("lives of quiet desperation.", start=9, second=5)
        kindlehl.ok("import", written(tmp_path / "c.txt", *halves))
        was = shown(kindlehl.library)
        one, two = (h["id"] for h in kindlehl("list", "--json").json["items"])
        kindlehl.ok("merge", two, one)
        (found,) = kindlehl("list", "--json").json["items"]
        assert found["text"] == "The mass of men lead lives of quiet desperation."
        kindlehl.ok("split", one)
        assert shown(kindlehl.library) == was
        kindlehl.ok("undo")
        kindlehl.ok("undo")
        assert shown(kindlehl.library) == was

    def test_what_was_wrongly_joined_is_parted_and_stays_so(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """Whatever is imported later."""
        file = written(
            tmp_path / "c.txt",
            highlight("best of times", start=5),
            highlight("It was the best of times", start=5, second=60),
        )
        kindlehl.ok("import", file)
        (found,) = kindlehl("list", "--json").json["items"]
        kindlehl.ok("split", found["id"])
        assert len(kindlehl("list", "--json").json["items"]) == 2
        kindlehl.ok("import", file)
        assert len(kindlehl("list", "--json").json["items"]) == 2

    def test_a_merge_hides_no_words_where_the_later_text_is_the_shorter(
        self, kindlehl: Kindlehl, tmp_path: Path
    ) -> None:
        """The longer one is shown."""
        long_ = highlight("the quick brown fox jumps over the lazy dog", start=5)
        kindlehl.ok("import", written(tmp_path / "c.txt", long_, highlight("brown fox", start=500, second=90)))
        kindlehl.ok("merge", *(h["id"] for h in kindlehl("list", "--json").json["items"]))
        (found,) = kindlehl("list", "--json").json["items"]
        assert found["text"] == "the quick brown fox jumps over the lazy dog"

    def test_a_merge_hides_no_note_where_both_stand_at_one_location(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """The earlier is no draft of the later: each sat on its own highlight."""
        entries = (
            highlight("the quick brown fox", start=5, length=4), note("first", location=9),
            highlight("over the lazy dog", start=8, second=9), note("second", location=9, second=9),
        )  # fmt: skip
        kindlehl.ok("import", written(tmp_path / "c.txt", *entries))
        was = shown(kindlehl.library)
        ids = [h["id"] for h in kindlehl("list", "--json").json["items"]]
        assert len(ids) == 2
        kindlehl.ok("merge", *ids)
        (found,) = kindlehl("list", "--json").json["items"]
        assert (found["note"], found["conflicts"]) == ("first\n\nsecond", [])
        kindlehl.ok("split", ids[1])
        assert shown(kindlehl.library) == was

    def test_a_merge_of_notes_that_both_were_edited_is_no_conflict(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """Nobody disagrees: they were put together."""
        halves = highlight("The mass of men lead", start=5), highlight("lives of quiet desperation.", start=9, second=5)
        kindlehl.ok("import", written(tmp_path / "c.txt", *halves))
        one, two = (h["id"] for h in kindlehl("list", "--json").json["items"])
        kindlehl.ok("note", one, "mine")
        kindlehl.ok("note", two, "yours")
        was = shown(kindlehl.library)
        kindlehl.ok("merge", two, one)
        (found,) = kindlehl("list", "--json").json["items"]
        assert (found["note"], found["conflicts"]) == ("mine\n\nyours", [])
        kindlehl.ok("undo")
        assert shown(kindlehl.library) == was

    @pytest.mark.parametrize("part", [0, 1, 2])
    def test_what_was_merged_of_three_comes_apart_as_it_was(
        self, kindlehl: Kindlehl, tmp_path: Path, part: int
    ) -> None:
        """No text of several is left without one of them, and none is hidden."""
        parts = [highlight(f"part {n} of it", start=5 + 9 * n, second=n) for n in range(3)]
        kindlehl.ok("import", written(tmp_path / "c.txt", *parts))
        ids = [h["id"] for h in kindlehl("list", "--json").json["items"]]
        was = shown(kindlehl.library)
        kindlehl.ok("merge", ids[0], ids[1])
        kindlehl.ok("merge", ids[0], ids[2])
        (found,) = kindlehl("list", "--json").json["items"]
        assert found["text"] == "part 0 of it part 1 of it part 2 of it"
        kindlehl.ok("split", ids[0], ids[part])
        assert shown(kindlehl.library) == was

    def test_a_split_parts_from_every_other_form(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """Also where the last form held two earlier ones."""
        parts = highlight("It was the best", start=10), highlight("of times", start=12, second=9)
        whole = highlight("It was the best of times", start=10, length=3, second=60)
        kindlehl.ok("import", written(tmp_path / "c.txt", *parts, whole))
        (found,) = kindlehl("list", "--json").json["items"]
        kindlehl.ok("split", found["id"])
        texts = sorted(h["text"] for h in kindlehl("list", "--json").json["items"])
        assert texts == ["It was the best", "It was the best of times", "of times"]

    def test_a_hidden_book_that_is_joined_with_one_that_is_shown_is_shown_like_the_first(
        self, reader: Kindlehl
    ) -> None:
        """Otherwise both would be out of sight."""
        reader.ok("books", "hide", "walking")
        reader.ok("books", "merge", "walden", "walking")
        assert "Walden" in reader.ok("books")

    def test_books_are_joined_renamed_parted_and_hidden(self, reader: Kindlehl) -> None:
        """And all of it is undone, one after the other."""
        was = reader("books", "--json").out
        reader.ok("books", "merge", "walden", "Walking")
        reader.ok("books", "rename", "walden", "--title", "Two by Thoreau", "--author", "")
        found = {b["title"]: b for b in reader("books", "--json").json["items"]}
        assert found["Two by Thoreau"]["author"] is None
        assert len(found) == 8
        assert len(reader("books", "split", "two by thoreau").out.splitlines()) == 2
        reader.ok("books", "split", "two by thoreau", "walking")
        reader.ok("books", "hide", "two by thoreau")
        assert "Two by Thoreau" not in reader("books").out
        assert "Two by Thoreau" in reader("books", "--hidden").out
        assert "Two by Thoreau" not in reader("list", "--plain").out
        assert reader("search", "title:thoreau", "--exact", "--json").json["items"] == []
        for _ in range(4):
            reader.ok("undo")
        assert reader("books", "--json").out == was

    def test_a_rename_survives_every_import(self, reader: Kindlehl) -> None:
        """A book is known by what its sources call it."""
        reader.ok("books", "rename", "walden", "--title", "Im Wald")
        reader.ok("import", SAMPLE)
        assert "Im Wald" in reader("books").out


class TestAdding:
    """A quotation by hand."""

    def test_it_stands_in_the_book_that_is_there(self, reader: Kindlehl) -> None:
        """With page, note, tag and colour; and one undo takes all of it away."""
        was = reader("books", "--json").out
        reader.ok("add", "Simplify,", "simplify.", "--book", "walden", "--page", "91", "--note", "n", "--tag", "craft",
                  "--color", "blue", "--date", "2024-05-01")  # fmt: skip
        (found,) = reader("list", "tag:craft", "--json").json["items"]
        assert (found["title"], found["text"], found["note"], found["page"], found["color"], found["added_at"]) == (
            "Walden", "Simplify, simplify.", "n", "91", "blue", "2024-05-01T00:00:00",
        )  # fmt: skip
        assert found["source"] == "hand"
        reader.ok("undo")
        assert reader("books", "--json").out == was

    def test_what_is_no_text_is_refused_and_control_characters_are_left_out(self, reader: Kindlehl) -> None:
        """Neither question marks nor commands to a terminal are kept in anybody's words."""
        was = digest(reader.library)
        for args in (("add", "-", "--book", "walden"), ("note", WALDEN, "-")):
            for env in ({"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}):
                assert "UTF-8" in complaint(reader(*args, stdin="Hörsäle".encode("latin-1"), env=env), 2)
        assert digest(reader.library) == was
        reader.ok("note", WALDEN, "-", stdin="\ufeffone\x1b[31m\x07\ttwo\n\nthree\n".encode())
        reader.ok("tag", "a\x1b]0;x\x07b", WALDEN)
        reader.ok("books", "rename", "walden", "--title", "Wal\x1b[1mden\x9b", "--author", "\x1bThoreau")
        found = item(reader, WALDEN)
        assert (found["note"], found["tags"]) == ("one[31m\ttwo\n\nthree", ["a]0;xb"])
        assert (found["title"], found["author"]) == ("Wal[1mden", "Thoreau")
        reader.ok("add", "x", "--book", "N\x1bew", "--chapter", "I\x1b", "--page", "1\x1b2", "--location", "3")
        (added,) = reader("search", "title:new", "--json").json["items"]
        assert (added["title"], added["chapter"], added["page"]) == ("New", "I", "12")
        assert "needs a title" in complaint(reader("add", "x", "--book", "\x1b"), 2)

    def test_from_standard_input_into_a_library_that_is_not_there_yet(self, kindlehl: Kindlehl) -> None:
        """Nobody needs a Kindle."""
        kindlehl.ok("add", "-", "--book", "Emma", "--author", "Jane Austen", stdin="If I loved you less …\n".encode())
        (found,) = kindlehl("list", "--json").json["items"]
        assert (found["title"], found["author"], found["text"]) == ("Emma", "Jane Austen", "If I loved you less …")

    def test_a_kindle_that_brings_the_book_later_brings_no_second_one(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """It is the same book, and the same passage at the same place is the same."""
        kindlehl.ok(
            "add", "Simplify, simplify.", "--book", "Walden", "--author", "Thoreau, Henry David", "--location", "1-2"
        )
        kindlehl.ok("import", written(tmp_path / "c.txt", highlight("Simplify, simplify.", start=1)))
        assert len(kindlehl("books", "--json").json["items"]) == 1
        assert len(kindlehl("list", "--json").json["items"]) == 1


class TestEditor:
    """Text, note, tags and colour in the reader's own editor."""

    def test_what_is_changed_is_changed_and_what_is_not_stays(self, reader: Kindlehl, tmp_path: Path) -> None:
        """One operation."""
        was = shown(reader.library)
        env = editor(tmp_path, "sed -i 's/frittered/wasted/; s/^and by notifications$/and by mail/' \"$1\"")
        reader.ok("edit", WALDEN, env=env)
        found = item(reader, WALDEN)
        assert (found["text"], found["note"]) == ("Our life is wasted away by detail.", "and by mail")
        reader.ok("undo")
        assert shown(reader.library) == was

    def test_a_note_that_holds_lines_like_those_that_part_the_fields_can_be_edited(
        self, reader: Kindlehl, tmp_path: Path
    ) -> None:
        """Other lines part them then."""
        own = "%% note:\nmine\n%%% tags: x"
        reader.ok("note", WALDEN, own)
        reader.ok("edit", WALDEN, env=editor(tmp_path, 'sed -i "s/mine/yours/" "$1"'))
        assert item(reader, WALDEN)["note"] == own.replace("mine", "yours")

    @pytest.mark.parametrize(
        ("script", "code"),
        [
            ("exit 3", 1),
            ("true", 0),
            ("printf 'caf\\351' > \"$1\"", 2),
            ('printf nonsense > "$1"', 2),
            ("sed -i 's/^%% color.*/&\\npuce/' \"$1\"", 2),
        ],
    )
    def test_an_editor_that_fails_or_changes_nothing_changes_nothing(
        self, reader: Kindlehl, tmp_path: Path, script: str, code: int
    ) -> None:
        """And what was written is kept where it could not be used."""
        was = digest(reader.library)
        done = reader("edit", WALDEN, env={**editor(tmp_path, script), "TMPDIR": str(tmp_path)})
        assert done.code == code, done
        assert digest(reader.library) == was
        assert ("What you wrote is in" in done.err) == (code == 2)

    def test_an_editor_that_is_not_there_is_named(self, reader: Kindlehl) -> None:
        """With a hint how to name another."""
        assert "nosuchprogram" in complaint(reader("edit", WALDEN, env={"EDITOR": "nosuchprogram", "VISUAL": ""}), 1)


class TestTwoDevices:
    """What another device says arrives as facts; here through an exported library."""

    @pytest.fixture
    def other(self, tmp_path: Path) -> Kindlehl:
        """Anna's tablet."""
        return Kindlehl(tmp_path / "anna", {"KINDLEHL_DEVICE": "Anna's tablet"})

    @staticmethod
    def bring(giver: Kindlehl, taker: Kindlehl) -> None:
        """Unite one library with the other."""
        file = giver.home / "library.json"
        file.unlink(missing_ok=True)
        giver.ok("export", "json", "--to", file)
        taker.ok("import", file)

    def test_two_notes_are_a_conflict_and_each_way_to_settle_it_holds(self, reader: Kindlehl, other: Kindlehl) -> None:
        """Both are shown with their devices, until somebody says what holds; on both devices."""
        self.bring(reader, other)
        reader.ok("note", WALDEN, "desk says")
        other.ok("note", WALDEN, "tablet says")
        self.bring(other, reader)
        assert item(reader, WALDEN)["conflicts"] == ["note"]
        told = reader.ok("conflicts", "--quiet")
        assert "desk" in told
        assert "tablet" in told
        assert "Anna's tablet" in told
        reader.ok("conflicts", WALDEN, "--keep", "both")
        assert item(reader, WALDEN)["note"] == "desk says\n\ntablet says"
        reader.ok("undo")
        assert item(reader, WALDEN)["conflicts"] == ["note"]
        reader.ok("conflicts", WALDEN, "--keep", "B")
        self.bring(reader, other)
        assert (item(other, WALDEN)["note"], item(other, WALDEN)["conflicts"]) == ("tablet says", [])

    def test_an_undo_is_refused_where_somebody_edited_since_and_says_where(
        self, reader: Kindlehl, other: Kindlehl
    ) -> None:
        """Nothing of hers is taken back."""
        reader.ok("note", WALDEN, "mine")
        self.bring(reader, other)
        other.ok("note", WALDEN, "hers")
        self.bring(other, reader)
        own = reader("undo", "--list", "--json").json["items"]
        note_op = next(o["op"] for o in own if o["verb"] == "note")
        was = digest(reader.library)
        assert "Anna's tablet" in complaint(reader("undo", note_op), 1)
        assert "cannot be undone" in complaint(reader("undo"), 1)
        assert digest(reader.library) == was
        assert item(reader, WALDEN)["note"] == "hers"

    def test_an_undo_by_name_is_refused_where_something_was_said_since_through_another_undo(
        self, reader: Kindlehl
    ) -> None:
        """What was said last stands in place of all that was before, whatever came between."""
        for text in ("first", "second"):
            reader.ok("note", WALDEN, text)
        first = reader("undo", "--list", "--json").json["items"][1]["op"]
        reader.ok("undo")
        reader.ok("note", WALDEN, "third")
        was = digest(reader.library)
        assert "changed again since" in complaint(reader("undo", first), 1)
        assert digest(reader.library) == was
        reader.ok("undo")
        reader.ok("undo", first)
        assert item(reader, WALDEN)["note"] == "and by notifications"

    def test_what_is_said_of_a_highlight_that_was_erased_elsewhere_is_kept_and_can_be_exported(
        self, reader: Kindlehl, other: Kindlehl, tmp_path: Path
    ) -> None:
        """Its words are gone; those of who knew nothing of it are not."""
        self.bring(reader, other)
        reader.ok("delete", WALDEN, PRIDE)
        reader.ok("trash", "empty", "--yes")
        other.ok("note", WALDEN, "hers")
        other.ok("tag", "craft", PRIDE)
        self.bring(other, reader)
        self.bring(reader, other)
        assert shown(reader.library) == shown(other.library)
        found = item(reader, WALDEN)
        assert (found["kind"], found["text"], found["note"]) == ("note", "", "hers")
        assert item(reader, PRIDE)["tags"] == ["craft"]
        for way in ("markdown", "csv", "pdf", "json"):
            reader.ok("export", way, "--to", tmp_path / way / ("all.csv" if way == "csv" else ""))
        assert "hers" in "".join(file.read_text("utf-8") for file in (tmp_path / "markdown").rglob("*.md"))
        for look in (("list",), ("search", "hers"), ("show", PRIDE), ("history", PRIDE)):
            reader.ok(*look)
        assert "(erased)" in reader.ok("history", WALDEN)
        reader.ok("delete", WALDEN, PRIDE)
        reader.ok("trash", "empty", "--yes")
        assert reader("search", "hers", "--exact", "--json").json["items"] == []

    def test_a_forged_clock_keeps_nobody_from_editing(self, reader: Kindlehl, other: Kindlehl) -> None:
        """The last stamp there is comes from elsewhere; commands go on, and are taken back."""
        other.ok("import", SAMPLE)
        other.ok("color", "blue", WALDEN)
        file = other.home / "library.json"
        other.ok("export", "json", "--to", file)
        (stamp,) = set(re.findall(r'"hlc":\s*(\d+)', file.read_text("utf-8")))
        file.write_text(file.read_text("utf-8").replace(stamp, str(2**62 - 1)), "utf-8")
        reader.ok("import", file)
        was = shown(reader.library)
        for colour in ("red", "pink"):
            reader.ok("color", colour, WALDEN)
            assert item(reader, WALDEN)["color"] == colour
        reader.ok("undo")
        assert item(reader, WALDEN)["color"] == "red"
        reader.ok("redo")
        assert item(reader, WALDEN)["color"] == "pink"
        reader.ok("undo")
        reader.ok("undo")
        assert shown(reader.library) == was

    def test_only_what_was_done_here_can_be_undone_here(self, reader: Kindlehl, other: Kindlehl) -> None:
        """The journal does not travel."""
        reader.ok("note", WALDEN, "mine")
        self.bring(reader, other)
        assert [o["verb"] for o in other("undo", "--list", "--json").json["items"]] == ["import of a library"]

    def test_an_edit_the_deleter_did_not_know_brings_the_highlight_back(
        self, reader: Kindlehl, other: Kindlehl
    ) -> None:
        """What somebody wrote is never lost."""
        self.bring(reader, other)
        reader.ok("delete", WALDEN)
        other.ok("note", WALDEN, "hers")
        self.bring(other, reader)
        assert item(reader, WALDEN)["note"] == "hers"


class TestHistory:
    """What became of a highlight."""

    def test_it_tells_devices_and_people_and_what_changed_word_by_word(self, reader: Kindlehl) -> None:
        """Undone things too."""
        reader.ok("note", WALDEN, "and by mail")
        reader.ok("undo")
        told = reader.ok("history", WALDEN)
        assert "and by [-notifications-]{+mail+}" in told
        assert "note taken back" in told
        events = reader("history", WALDEN, "--json").json["items"]
        assert [e["what"] for e in events] == ["highlight", "note", "note", "note"]

    def test_of_what_is_in_the_trash_too(self, reader: Kindlehl) -> None:
        """To decide whether to bring it back."""
        reader.ok("delete", WALDEN)
        assert "deleted" in reader.ok("history", WALDEN)


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(
    "args",
    [("history", WALDEN), ("undo", "--list"), ("trash", "list"), ("books", "--hidden"), ("conflicts",)],
    ids=lambda args: " ".join(args[:1]),
)
def test_no_line_is_longer_than_the_terminal(reader: Kindlehl, args: tuple[str, ...], columns: int) -> None:
    """In a narrow window too."""
    reader.ok("note", WALDEN, "a note that is quite a bit longer than what a narrow window holds in one line")
    reader.ok("delete", PRIDE)
    done = reader.on_terminal(*args, columns=columns, env={"NO_COLOR": "1"})
    assert done.code == 0, done
    assert not [line for line in done.out.splitlines() if len(line) > columns]


def test_a_library_that_may_not_be_written_is_said_to_be_so(reader: Kindlehl) -> None:
    """And nothing is lost."""
    reader.prefix = bound_by_permissions()
    reader.library.chmod(0o444)
    reader.library.parent.chmod(0o555)
    try:
        complaint(reader("note", WALDEN, "x"), 1)
        assert item(reader, WALDEN)["note"] == "and by notifications"
    finally:
        reader.library.parent.chmod(0o755)
