"""Merging block by block: each rule by itself. What all of them together give is lived through in test_vault.py."""

import pytest

from kindlehl.domain.merging import Account, Base, Merged, Piece, merge, new

FRONT = "---\nkindlehl: x\n---\n"


def passage(name: str, text: str | None = None) -> Piece:
    """A passage of one letter."""
    return Piece(f"kh-{name}", f"> {text or name}\n\n^kh-{name}", f"id-{name}")


HEAD = Piece("head", "# Title")
A, B, C, D = map(passage, "abcd")


def written(*pieces: Piece) -> tuple[str, Base]:
    """A document as it was first written, and its base."""
    done = new(FRONT, pieces)
    return done.text, done.base


def again(file: str, base: Base | None, *pieces: Piece) -> Merged:
    """A merge that a second one does not change."""
    done = merge(base, file, FRONT, pieces)
    assert merge(done.base, done.text, FRONT, pieces)[:2] == done[:2]
    return done


def test_a_block_as_we_wrote_it_is_updated_removed_and_added() -> None:
    """Each with its account."""
    file, base = written(HEAD, A, B)
    changed = passage("a", "other")
    done = again(file, base, HEAD, changed, C)
    assert done.text == written(HEAD, changed, C)[0]
    assert done.account == Account(added=1, updated=1, removed=1)


def test_without_any_block_before_it_a_new_one_goes_before_the_nearest_after_it() -> None:
    """The head and the first passage are the reader's by now."""
    file, base = written(HEAD, B)
    done = again(file.replace("# Title", "mine"), base, HEAD, A, B)
    assert done.text == file.replace("# Title", f"mine\n\n{A.text}")


def test_with_no_block_left_a_new_one_goes_to_the_end() -> None:
    """Below all that the reader wrote."""
    _, base = written(HEAD, A)
    assert again("# mine\n\nmine", base, HEAD, A, B).text == f"# mine\n\nmine\n\n{B.text}"


def test_blocks_that_the_reader_joined_are_the_readers() -> None:
    """Though the lower one's lines are as we wrote them: it is no block of its own any more."""
    file, base = written(HEAD, A, B)
    joined = file.replace("> a\n\n^kh-a\n\n", "> a\n")
    done = again(joined, base, HEAD, A, passage("b", "other"))
    assert done.text == joined
    assert done.account == Account(kept=1)


def test_of_copies_only_one_that_is_as_we_wrote_it_is_updated() -> None:
    """The reader's changed copy stays, and none is added."""
    file, base = written(HEAD, A)
    copied = f"{file}\n> a mine\n\n^kh-a\n"
    assert again(copied, base, HEAD, passage("a", "other")).text == copied.replace("> a\n", "> other\n")


def test_what_the_library_restores_is_new_what_the_reader_deleted_is_not() -> None:
    """A passage that was taken out by us comes back; one that the reader took out does not."""
    file, base = written(HEAD, A, B)
    without = file.replace(f"\n{B.text}\n", "")
    gone = again(without, base, HEAD)
    assert again(gone.text, gone.base, HEAD, A, B).text == without


def test_a_changed_block_that_the_library_deletes_is_kept() -> None:
    """And told once."""
    file, base = written(HEAD, A, B)
    done = again(file.replace("> a", "> mine"), base, HEAD, B)
    assert "> mine" in done.text
    assert done.account == Account(kept=1)
    assert again(done.text, done.base, HEAD, B).account == Account()


def test_without_a_base_only_what_is_missing_is_added() -> None:
    """Neither the head nor the front matter, which the reader may have changed; and nothing is updated."""
    file, _ = written(A, C)
    done = again(file.replace("kindlehl: x", "mine: x"), None, HEAD, passage("a", "other"), B, C)
    assert done.text == written(A, B, C)[0].replace("kindlehl: x", "mine: x")


def test_a_heading_comes_with_its_first_passage_once() -> None:
    """One that the reader changed is not written again, one without a passage goes."""
    one = Piece("chapter 1 One", "## One")
    file, base = written(HEAD, A)
    done = again(file, base, HEAD, A, one, B)
    assert done.text == written(HEAD, A, one, B)[0]
    mine = done.text.replace("## One", "## mine")
    assert again(mine, done.base, HEAD, A, one, B, C).text == f"{mine}\n{C.text}\n"
    assert again(done.text, done.base, HEAD, A).text == file


@pytest.mark.parametrize("below", ["mine", "- mine\n- mine", "> mine"])
def test_what_stands_below_a_block_stays_below_it(below: str) -> None:
    """A new passage goes behind it."""
    file, base = written(HEAD, A, C)
    noted = file.replace("^kh-a\n", f"^kh-a\n\n{below}\n")
    assert again(noted, base, HEAD, A, B, C).text == noted.replace(f"{below}\n", f"{below}\n\n{B.text}\n")


def test_links_to_a_block_are_no_block() -> None:
    """`[[#^kh-b]]` does not keep the passage from coming."""
    file, base = written(HEAD, A)
    assert again(f"{file}\nsee [[#^kh-b]]\n", base, HEAD, A, B).account == Account(added=1)


def test_of_two_headings_that_are_equal_the_one_goes_that_lost_its_passages() -> None:
    """A chapter that comes twice: each of its headings is a block of its own."""
    twice = [Piece(f"chapter {n} Sounds", "## Sounds") for n in (1, 2)]
    economy = Piece("chapter 1 Economy", "## Economy")
    file, base = written(HEAD, twice[0], A, economy, B, twice[1], C)
    done = again(file, base, HEAD, twice[0], A, economy, B)
    assert done.text == written(HEAD, twice[0], A, economy, B)[0]


def test_what_is_new_stands_below_a_frame_that_the_reader_joined_to_a_changed_passage() -> None:
    """The frame is still as we wrote it: nothing goes into the middle of it."""
    head = Piece("head", "# Title\n\n*Author*")
    file, base = written(head, B)
    joined = file.replace("*Author*\n\n> b", "*Author*\n> b mine")
    done = again(joined, base, head, A, B)
    assert done.text == file.replace("*Author*\n\n> b", f"*Author*\n\n{A.text}\n\n> b mine")


def test_a_heading_that_was_not_written_does_not_take_the_place_of_an_equal_one_that_was() -> None:
    """Its only passage is the reader's to have, elsewhere: an export more changes nothing, also in the base."""
    first, second = (Piece(f"chapter {n} Sounds", "## Sounds") for n in (1, 2))
    economy = Piece("chapter 1 Economy", "## Economy")
    file, base = written(HEAD, economy, B)
    ours = HEAD, first, A, economy, B, second, C
    done = merge(base, file, FRONT, ours, without=[A.name])
    once_more = merge(done.base, done.text, FRONT, ours, without=[A.name])
    assert once_more[:2] == done[:2]
    assert {"chapter 1 Sounds", "chapter 2 Sounds"} & done.base.pieces.keys() == {"chapter 2 Sounds"}
