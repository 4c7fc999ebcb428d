"""Exporting to a vault that somebody works in, as a process: what is told, what is carried over, and hostile vaults."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from support.cli import (
    SAMPLE,
    Kindlehl,
    complaint,
    contents,
    disk,
    disk_without_case,
    fill,
    highlight,
    read_only,
    tree,
    written,
)

from kindlehl.domain.facts import book_atom

MINE = "mine: not a word of this is kindlehl's"


@pytest.fixture
def vault(kindlehl: Kindlehl) -> Path:
    """The sample, exported."""
    kindlehl.ok("import", SAMPLE)
    kindlehl.ok("export", "markdown", "--to", kindlehl.home / "vault")
    return kindlehl.home / "vault"


def more(kindlehl: Kindlehl, words: str = "A new one.", start: int = 4000) -> None:
    """One more highlight of Walden in the library."""
    kindlehl.ok("import", written(kindlehl.home / f"{start}.txt", highlight(words, start=start)))


def export(kindlehl: Kindlehl, *args: str | Path) -> dict[str, object]:
    """An export's report."""
    return json.loads(kindlehl("export", "markdown", "--to", kindlehl.home / "vault", "--json", *args).out)  # type: ignore[no-any-return]


def base(vault: Path, book: str = "Walden.md") -> Path:
    """The base of a document."""
    return next(p for p in (vault / ".kindlehl" / "markdown").iterdir() if f'"path": "{book}"' in p.read_text("utf-8"))


def test_words_between_blocks_stay_and_new_highlights_come(kindlehl: Kindlehl, vault: Path) -> None:
    """The reader's words are where they were, the new highlight behind them."""
    path = vault / "Walden.md"
    path.write_text(path.read_text("utf-8") + f"\n{MINE}\n", "utf-8")
    more(kindlehl)
    kindlehl.ok("export", "markdown", "--to", vault)
    text = path.read_text("utf-8")
    assert text.index("frittered") < text.index(MINE) < text.index("> A new one.")
    assert "highlights: 4\n" in text


def test_a_new_highlight_goes_before_a_section_of_the_readers_own(kindlehl: Kindlehl, vault: Path) -> None:
    """`## My thoughts` at the end stays the end."""
    path = vault / "Walden.md"
    path.write_text(path.read_text("utf-8") + f"\n## My thoughts\n\n{MINE}\n", "utf-8")
    more(kindlehl)
    kindlehl.ok("export", "markdown", "--to", vault)
    assert path.read_text("utf-8").endswith(f"\n## My thoughts\n\n{MINE}\n")


@pytest.mark.parametrize("form", ["crlf", "bom", "cut"])
def test_line_ends_marks_and_ends_of_files_stay(kindlehl: Kindlehl, vault: Path, form: str) -> None:
    """What is added has the file's own line ends."""
    path = vault / "Walden.md"
    data = path.read_bytes()
    data = {"crlf": data.replace(b"\n", b"\r\n"), "bom": b"\xef\xbb\xbf" + data, "cut": data.rstrip(b"\n")}[form]
    path.write_bytes(data)
    assert MINE not in kindlehl.ok("export", "markdown", "--to", vault)
    assert path.read_bytes() == data
    more(kindlehl)
    kindlehl.ok("export", "markdown", "--to", vault)
    now = path.read_bytes()
    assert b"A new one." in now
    assert now.count(b"\n") == now.count(b"\r\n") or form != "crlf"
    assert now.startswith(b"\xef\xbb\xbf") is (form == "bom")
    assert now.endswith(b"\n") is (form != "cut")


def test_a_file_that_was_renamed_and_moved_is_found(kindlehl: Kindlehl, vault: Path) -> None:
    """By the id in its front matter; it is the only one."""
    (vault / "Books").mkdir()
    (vault / "Walden.md").rename(vault / "Books" / "Thoreau.md")
    more(kindlehl)
    assert export(kindlehl)["written"] == [str(vault / "Books" / "Thoreau.md")]
    assert not (vault / "Walden.md").exists()


def test_two_files_that_swapped_names_are_found(kindlehl: Kindlehl, vault: Path) -> None:
    """Each by its properties: neither gets the other's highlights."""
    one, two = vault / "Walden.md", vault / "Meditations.md"
    two.rename(vault / "aside")
    one.rename(two)
    (vault / "aside").rename(one)
    was = two.read_text("utf-8"), one.read_bytes()
    more(kindlehl)
    assert export(kindlehl)["written"] == [str(two)]
    assert one.read_bytes() == was[1]
    assert "> A new one." in two.read_text("utf-8")


def _books(kindlehl: Kindlehl) -> tuple[str, str]:
    """Two books, of which the second has the lesser id: joined, they go by that."""
    titles = [f"Tale {n}" for n in range(9)]
    first = titles.pop(0)
    second = next(title for title in titles if book_atom(title) < book_atom(first))
    kindlehl.ok("import", written(kindlehl.home / "one.txt", highlight("Of the one.", first, start=10)))
    return first, second


def test_a_book_that_is_joined_with_one_that_was_never_exported_keeps_its_file(kindlehl: Kindlehl) -> None:
    """And all that the reader wrote in it. Parted again, each book has a file, and nothing is there twice."""
    vault = kindlehl.home / "vault"
    first, second = _books(kindlehl)
    export(kindlehl)
    file = vault / f"{first}.md"
    file.write_text(file.read_text("utf-8") + f"\n{MINE}\n", "utf-8")
    kindlehl.ok("import", written(kindlehl.home / "two.txt", highlight("Of the other.", second, start=20)))
    kindlehl.ok("books", "merge", first, second)
    assert export(kindlehl)["written"] == [str(file)]
    text = file.read_text("utf-8")
    assert text.index("> Of the one.") < text.index(MINE) < text.index("> Of the other.")
    assert len(list((vault / ".kindlehl" / "markdown").iterdir())) == 1
    more_of_it = highlight("More of the one.", first, start=30)
    kindlehl.ok("import", written(kindlehl.home / "three.txt", more_of_it))
    export(kindlehl)
    assert file.read_text("utf-8").count("> More of the one.") == 1
    assert export(kindlehl)["written"] == []
    kindlehl.ok("books", "split", first, second)
    export(kindlehl)
    held = "".join(path.read_text("utf-8") for path in vault.glob("*.md"))
    for words in ("> Of the one.", "> More of the one.", "> Of the other.", MINE):
        assert held.count(words) == 1, words
    assert export(kindlehl)["written"] == []


def test_of_several_files_whose_books_are_gone_one_is_taken_over_and_since_takes_that_one_alone(
    kindlehl: Kindlehl,
) -> None:
    """What stands in the others stays there, and does not count as exported with this one: a second export is idle."""
    vault, year = kindlehl.home / "vault", 28 * 86_400
    titles = sorted((f"Tale {n}" for n in range(3)), key=book_atom)
    for n, title in enumerate(titles[1:]):
        kindlehl.ok("import", written(kindlehl.home / f"{n}.txt", highlight(f"Old {n}.", title, start=10 + 9 * n)))
    export(kindlehl)
    kindlehl.ok("import", written(kindlehl.home / "3.txt", highlight("New.", titles[0], start=40, second=year)))
    for title in titles[1:]:
        kindlehl.ok("books", "merge", titles[0], title)
    export(kindlehl, "--since", "2019")
    was = tree(vault)
    assert export(kindlehl, "--since", "2019")["written"] == []
    assert tree(vault) == was
    held = "".join(path.read_text("utf-8") for path in vault.glob("*.md"))
    assert [held.count(words) for words in ("> Old 0.", "> Old 1.", "> New.")] == [1, 1, 1]


def test_two_books_that_both_were_exported_are_joined_and_parted(kindlehl: Kindlehl) -> None:
    """Highlights go over as far as they are as they were written; one that the reader changed stays where it is."""
    vault = kindlehl.home / "vault"
    first, second = _books(kindlehl)
    entries = [highlight("Of the other.", second, start=20), highlight("Changed.", second, start=40)]
    kindlehl.ok("import", written(kindlehl.home / "two.txt", *entries))
    export(kindlehl)
    other = vault / f"{second}.md"
    other.write_text(other.read_text("utf-8").replace("> Changed.", "> Changed by me."), "utf-8")
    kindlehl.ok("books", "merge", second, first)
    for verb in ("export", "undo", "export", "redo", "export"):
        if verb == "export":
            export(kindlehl)
            assert export(kindlehl)["written"] == []
        else:
            kindlehl.ok(verb)
        held = "".join(path.read_text("utf-8") for path in vault.glob("*.md"))
        for words in ("> Of the one.", "> Of the other.", "> Changed by me."):
            assert held.count(words) == 1, (verb, words)
        assert "> Changed." not in held


def test_a_hidden_books_file_is_left_to_itself(kindlehl: Kindlehl, vault: Path) -> None:
    """Shown again, it is kept up to date."""
    was = tree(vault)
    kindlehl.ok("books", "hide", "walden")
    kindlehl.ok("import", written(kindlehl.home / "two.txt", highlight("Of another.", "Another", start=20)))
    assert export(kindlehl)["written"] == [str(vault / "Another.md")]
    assert {name: held for name, held in tree(vault).items() if "Walden" in name} == {
        name: held for name, held in was.items() if "Walden" in name
    }
    kindlehl.ok("books", "hide", "walden", "--off")
    more(kindlehl)
    assert export(kindlehl)["written"] == [str(vault / "Walden.md")]


def test_no_other_book_takes_over_the_file_of_a_hidden_one(kindlehl: Kindlehl) -> None:
    """Though its highlights stand there since the two were one: the hidden book is not gone."""
    vault = kindlehl.home / "vault"
    first, second = _books(kindlehl)
    kindlehl.ok("import", written(kindlehl.home / "two.txt", highlight("Of the other.", second, start=20)))
    kindlehl.ok("books", "merge", second, first)
    export(kindlehl)
    file = vault / f"{second}.md"
    was = file.read_bytes()
    kindlehl.ok("books", "split", second, first)
    kindlehl.ok("books", "hide", second)
    export(kindlehl)
    assert file.read_bytes() == was
    kindlehl.ok("books", "hide", second, "--off")
    export(kindlehl)
    assert "> Of the one." not in file.read_text("utf-8")
    assert "> Of the one." in (vault / f"{first}.md").read_text("utf-8")


def test_a_file_that_was_deleted_stays_deleted_until_it_is_asked_for(kindlehl: Kindlehl, vault: Path) -> None:
    """And the report says so; the others are written."""
    (vault / "Walden.md").unlink()
    more(kindlehl)
    assert "1 that you deleted" in kindlehl.ok("export", "markdown", "--to", vault)
    assert not (vault / "Walden.md").exists()
    assert export(kindlehl, "--again")["written"] == [str(vault / "Walden.md")]


def test_two_files_with_one_id_are_left_alone_and_told(kindlehl: Kindlehl, vault: Path) -> None:
    """Unless one of them is where it was."""
    shutil.copy(vault / "Walden.md", vault / "Copy.md")
    kindlehl.ok("export", "markdown", "--to", vault)
    (vault / "Walden.md").rename(vault / "Other.md")
    before = contents(vault)
    done = kindlehl("export", "markdown", "--to", vault)
    assert done.code == 3
    assert "Copy.md" in done.err
    assert "Other.md" in done.err
    assert contents(vault) == before


def test_a_highlight_changed_on_both_sides_is_kept_and_told_once(kindlehl: Kindlehl, vault: Path) -> None:
    """In the library it was resized."""
    more(kindlehl, "The pond was calm", 5000)
    kindlehl.ok("export", "markdown", "--to", vault)
    path = vault / "Walden.md"
    path.write_text(path.read_text("utf-8").replace("The pond was calm", f"The pond. {MINE}"), "utf-8")
    later = highlight("The pond was calm and deep", start=5000, length=2, second=500)
    kindlehl.ok("import", written(kindlehl.home / "later.txt", later))
    told = "1 highlight changed here and in the library: yours was kept"
    assert told in kindlehl.ok("export", "markdown", "--to", vault)
    assert told not in kindlehl.ok("export", "markdown", "--to", vault)
    assert MINE in path.read_text("utf-8")


def test_a_vault_of_the_version_before_is_carried_over(kindlehl: Kindlehl, vault: Path) -> None:
    """Its manifest says that a file is as it was written: then it is merged from now on, and not doubled."""
    path = vault / "Walden.md"
    book = json.loads(base(vault).read_text("utf-8"))["document"]
    shutil.rmtree(vault / ".kindlehl" / "markdown")
    entry = {"path": "Walden.md", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    manifest = vault / ".kindlehl" / "exports.json"
    manifest.write_text(json.dumps({"schema": "kindlehl/exports/1", "files": {f"markdown/{book}": entry}}))
    more(kindlehl)
    report = export(kindlehl)
    assert report["written"] == [str(path)]
    assert len(list(vault.glob("*.md"))) == 9
    assert json.loads(manifest.read_text())["files"] == {}
    assert base(vault)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"schema": "x"}', "\0", "[" * 100_000, '{"schema": "kindlehl/base/1"}']
)
def test_with_a_broken_base_nothing_is_changed_or_doubled(kindlehl: Kindlehl, vault: Path, text: str) -> None:
    """What is missing is new; the next base is whole."""
    path = vault / "Walden.md"
    base(vault).write_text(text)
    path.write_text(path.read_text("utf-8").replace("frittered", "wasted"), "utf-8")
    more(kindlehl)
    kindlehl.ok("export", "markdown", "--to", vault)
    held = path.read_text("utf-8")
    assert "wasted away" in held
    assert (held.count("^kh-"), held.count("A new one.")) == (4, 1)
    assert "0 written" in kindlehl.ok("export", "markdown", "--to", vault)


def test_a_base_of_a_newer_version_is_left_alone_and_told(kindlehl: Kindlehl, vault: Path) -> None:
    """Neither it nor its file is touched."""
    place = base(vault)
    place.write_text(place.read_text("utf-8").replace("kindlehl/base/1", "kindlehl/base/2"), "utf-8")
    more(kindlehl)
    before = contents(vault)
    done = kindlehl("export", "markdown", "--to", vault)
    assert done.code == 3
    assert "newer kindlehl" in done.err
    assert contents(vault) == before


@pytest.mark.parametrize("path", ["../diary.md", "{home}/diary.md", "link/diary.md", ".hidden/diary.md", "a\0.md", ""])
def test_a_base_that_names_a_file_elsewhere_is_not_followed(kindlehl: Kindlehl, vault: Path, path: str) -> None:
    """Somebody else may have written it."""
    (kindlehl.home / "diary.md").write_text(MINE)
    (vault / "link").symlink_to(kindlehl.home)
    place = base(vault)
    held = json.loads(place.read_text("utf-8"))
    held["path"] = path.format(home=kindlehl.home)
    place.write_text(json.dumps(held))
    more(kindlehl)
    kindlehl.ok("export", "markdown", "--to", vault)
    assert (kindlehl.home / "diary.md").read_text() == MINE
    assert "A new one." in (vault / "Walden.md").read_text("utf-8")


def test_a_document_that_is_a_link_is_not_written_through(kindlehl: Kindlehl, vault: Path) -> None:
    """It is told."""
    (vault / "Walden.md").rename(kindlehl.home / "real.md")
    (vault / "Walden.md").symlink_to(kindlehl.home / "real.md")
    before = (kindlehl.home / "real.md").read_bytes()
    more(kindlehl)
    done = kindlehl("export", "markdown", "--to", vault)
    assert done.code == 3
    assert "is a link" in done.err
    assert (kindlehl.home / "real.md").read_bytes() == before


def test_conflict_copies_of_a_base_are_not_looked_at(kindlehl: Kindlehl, vault: Path) -> None:
    """As synchronisers make them; nothing is doubled."""
    place = base(vault)
    shutil.copy(place, place.with_name(f"{place.stem}.sync-conflict-20260101-101010-ABCDEFG.json"))
    shutil.copy(place, place.with_name(f"{place.stem} (conflicted copy).json"))
    more(kindlehl)
    kindlehl.ok("export", "markdown", "--to", vault)
    assert (vault / "Walden.md").read_text("utf-8").count("^kh-") == 4


def test_a_file_that_is_no_utf_8_text_is_left_alone(kindlehl: Kindlehl, vault: Path) -> None:
    """UTF-16, say."""
    path = vault / "Walden.md"
    path.write_bytes(path.read_bytes()[:400] + "mine".encode("utf-16"))
    before = path.read_bytes()
    more(kindlehl)
    assert kindlehl("export", "markdown", "--to", vault).code == 3
    assert path.read_bytes() == before


def test_a_disk_that_is_full_or_read_only_costs_no_word(kindlehl: Kindlehl, tmp_path: Path) -> None:
    """A sentence, and every file as it was."""
    kindlehl.ok("import", SAMPLE)
    with disk(tmp_path / "disk", "1m") as small:
        kindlehl.ok("export", "markdown", "--to", small / "vault")
        path = small / "vault" / "Walden.md"
        path.write_text(path.read_text("utf-8") + MINE, "utf-8")
        more(kindlehl)
        fill(small)
        before = contents(small / "vault")
        complaint(kindlehl("export", "markdown", "--to", small / "vault"), 1)
        assert contents(small / "vault") == before
        (small / "ballast").unlink()
        read_only(small)
        complaint(kindlehl("export", "markdown", "--to", small / "vault"), 1)
        assert contents(small / "vault") == before


def test_titles_that_differ_in_case_alone_and_notes_of_the_readers_are_different_names(kindlehl: Kindlehl) -> None:
    """Whatever the file system makes of case: no two names differ in case alone."""
    vault = kindlehl.home / "vault"
    written(vault / "WALDEN.MD", MINE)
    for n, title in enumerate(("Walden (A)", "walden (B)", "WALDEN (C)")):
        kindlehl.ok("import", written(kindlehl.home / f"{n}.txt", highlight(f"Words {n}.", title=title)))
    kindlehl.ok("export", "markdown", "--to", vault)
    names = [p.name for p in vault.iterdir() if p.is_file()]
    assert len({name.casefold() for name in names}) == len(names) == 4
    assert (vault / "WALDEN.MD").read_text() == MINE


def test_on_a_disk_that_ignores_case_nothing_is_written_over(kindlehl: Kindlehl, tmp_path: Path) -> None:
    """Names that differ in case alone are one file there, whoever wrote it; and a name that changes its case stays."""
    with disk_without_case(tmp_path / "image", tmp_path / "disk") as vault:
        mine = written(vault / "WALDEN.md", MINE)
        assert (vault / "walden.md").read_text() == MINE
        for n, title in enumerate(("Walden (A)", "walden (B)", "WALDEN (C)")):
            kindlehl.ok("import", written(kindlehl.home / f"{n}.txt", highlight(f"Words {n}.", title=title)))
        kindlehl.ok("export", "markdown", "--to", vault)
        held = contents(vault)
        assert mine.read_text() == MINE
        files = {path: path.read_text("utf-8") for path in vault.glob("*.md")}
        assert len(files) == 4
        for n in range(3):
            assert sum(f"> Words {n}." in text for text in files.values()) == 1
        assert "0 written" in kindlehl.ok("export", "markdown", "--to", vault)
        book = next(b for b in kindlehl("books", "--json").json["items"] if b["author"] == "A")
        kindlehl.ok("books", "rename", book["id"], "--title", "wALDEN")
        kindlehl.ok("export", "markdown", "--to", vault)
        assert contents(vault).keys() == held.keys()
        assert mine.read_text() == MINE
        file = next(path for path, text in files.items() if "> Words 0." in text)
        file.rename(file.with_name(file.name.upper()))
        kindlehl.ok("import", written(kindlehl.home / "4.txt", highlight("More.", title="Walden (A)", start=90)))
        kindlehl.ok("export", "markdown", "--to", vault)
        texts = [path.read_text("utf-8") for path in vault.iterdir() if path.is_file()]
        assert len(texts) == 4
        assert sum("> Words 0." in text and "> More." in text for text in texts) == 1
        assert sum("> Words 0." in text or "> More." in text for text in texts) == 1


def test_since_adds_what_is_recent_and_takes_nothing(kindlehl: Kindlehl, vault: Path) -> None:
    """What was exported before stays, and is updated; what is older and was not exported is not added."""
    other = kindlehl.home / "other"
    kindlehl.ok("export", "markdown", "--to", other, "--since", "2017-01-15")
    assert [p.name for p in other.glob("*.md") if p.name == "Walden.md"] == ["Walden.md"]
    assert (other / "Walden.md").read_text("utf-8").count("^kh-") == 2
    before = tree(vault)
    kindlehl.ok("export", "markdown", "--to", vault, "--since", "2017-01-15")
    assert tree(vault) == before


class TestProfiles:
    """An export under a name."""

    def configure(self, kindlehl: Kindlehl, text: str) -> Path:
        """The configuration."""
        return written(kindlehl.home / "config" / "kindlehl" / "config.toml", text)

    def test_a_profile_is_an_export_under_a_name(self, kindlehl: Kindlehl) -> None:
        """What is typed counts before what it says."""
        kindlehl.ok("import", SAMPLE)
        written(kindlehl.home / "config" / "kindlehl" / "mine.j2", "{% macro passage(h) %}- {{ h.text }}{% endmacro %}")
        self.configure(
            kindlehl,
            '[export.vault]\nformat = "markdown"\nto = "~/vault"\nbook = ["walden", "草枕"]\ntemplate = "mine.j2"\n'
            "since = 2000-01-01\n",
        )
        kindlehl.ok("export", "vault")
        assert sorted(p.name for p in (kindlehl.home / "vault").glob("*.md")) == ["Walden.md", "草枕.md"]
        assert "\n- Our life" in (kindlehl.home / "vault" / "Walden.md").read_text("utf-8")
        kindlehl.ok("export", "vault", "--to", kindlehl.home / "two", "--book", "walden")
        assert [p.name for p in (kindlehl.home / "two").glob("*.md")] == ["Walden.md"]
        assert kindlehl.ok("export").endswith("\nProfiles: vault\n")
        assert json.loads(kindlehl.ok("export", "--json"))["profiles"] == ["vault"]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('[export.vault]\nformat = "markdown"\ncolour = "x"\n', "colour"),
            ('[export.vault]\nto = "/x"\n', "format"),
            ('[export.vault]\nformat = "markdown"\nto = "notes"\n', "whole path"),
            ('[export.vault]\nformat = "markdown"\nbook = [7]\n', "`book`"),
            ("[export.vault\n", "config.toml"),
        ],
    )
    def test_what_is_wrong_with_a_profile_is_a_sentence(self, kindlehl: Kindlehl, text: str, says: str) -> None:
        """It names the key, and nothing is written."""
        self.configure(kindlehl, text)
        done = kindlehl("export", "vault")
        assert says in complaint(done, 1 if says == "config.toml" else 2)

    def test_a_format_that_takes_no_template_says_so(self, kindlehl: Kindlehl) -> None:
        """And a template that is not there."""
        kindlehl.ok("import", SAMPLE)
        complaint(kindlehl("export", "csv", "--template", "x.j2"), 2)
        complaint(kindlehl("export", "markdown", "--template", "x.j2"), 2)


def test_a_vault_that_may_not_be_written_is_a_sentence(kindlehl: Kindlehl, vault: Path) -> None:
    """Nothing changes."""
    from support.cli import bound_by_permissions

    more(kindlehl)
    before = contents(vault)
    os.chmod(vault, 0o555)  # noqa: PTH101 -- beside its undoing
    try:
        person = Kindlehl(kindlehl.home, prefix=bound_by_permissions())
        complaint(person("export", "markdown", "--to", vault), 1)
    finally:
        os.chmod(vault, 0o755)  # noqa: PTH101
    assert contents(vault) == before
