"""The importers that come with kindlehl keep the contract of any plugin, and who breaks it is noticed."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kindlehl.domain.contract import Bundle
from kindlehl.domain.facts import Record, record_id
from kindlehl.registry import Registry
from kindlehl.testing import ImporterContract
from kindlehl_plugins.clippings import ClippingsImporter

ROOT = Path(__file__).parents[2]
SAMPLE = (ROOT / "docs" / "sample" / "My Clippings.txt").read_bytes()
FIXTURES = sorted((ROOT / "tests" / "data" / "clippings").glob("*.txt"))
END = b"==========\r\n"


class TestClippings(ImporterContract):
    importer = ClippingsImporter()
    samples: ClassVar = {"My Clippings.txt": SAMPLE, **{path.name: path.read_bytes() for path in FIXTURES}}
    entries: ClassVar = [entry + END for entry in SAMPLE.split(END) if entry.strip()]


def test_every_importer_is_held_to_the_contract() -> None:
    """A built-in importer without its class above is noticed."""
    ours = [one for one in Registry().importers() if type(one).__module__.startswith("kindlehl_plugins")]
    assert {type(one) for one in ours} == {type(each.importer) for each in (TestClippings,)}


class Lines:
    """A good importer: each line is a highlight, but one with a question mark at its start cannot be read."""

    name = "lines"
    revision = 3

    def claims(self, bundle: Bundle) -> bool:
        """A file of lines says so in its first."""
        return bundle.head().startswith(b"#lines\n")

    def read(self, bundle: Bundle) -> Iterator[Record]:
        """The lines, without the first."""
        with bundle.open() as stream:
            for number, raw in enumerate(stream, 1):
                text = raw.decode("utf-8", "backslashreplace").replace("\0", "\\0").strip()
                if text and text != "#lines":
                    yield self.record(text, number)

    def record(self, text: str, number: int) -> Record:
        """One line."""
        ident = record_id(self.name, text)
        text = text.replace("\r", " ")
        if text.startswith("?"):
            reason = "It begins with a question mark."
            return Record(ident, "unreadable", "", "", text=text, reason=reason, revision=3, line=number)
        return Record(ident, "highlight", "Lines", "Lines", text=text, revision=3, line=number)


class LinesContract(ImporterContract):
    importer = Lines()
    samples: ClassVar = {"a.lines": b"#lines\nSimplify, simplify.\n? Who speaks here, and to whom?\n"}
    entries: ClassVar = [b"Simplify! " * 99 + b"\n", b"Know thyself. " * 99 + b"\n", b"? Who speaks here?\n"]


def laws() -> list[str]:
    return [name for name in vars(ImporterContract) if name.startswith("test_")]


@pytest.mark.parametrize("law", laws())
def test_a_good_importer_keeps_every_law(law: str) -> None:
    """What follows is caught for what is wrong with it, and for nothing else."""
    getattr(LinesContract(), law)()


class Shouting(Lines):
    name = "LINES!"


class Blind(Lines):
    def claims(self, bundle: Bundle) -> bool:  # noqa: D102
        return False


class Greedy(Lines):
    def claims(self, bundle: Bundle) -> bool:  # noqa: D102
        return bundle.name.endswith(".lines")


class Nervous(Lines):
    def claims(self, bundle: Bundle) -> bool:  # noqa: D102
        return bundle.head().decode().startswith("#lines\n")


class Hoarding(Lines):
    def read(self, bundle: Bundle) -> Any:  # noqa: D102
        return list(super().read(bundle))


class HoardingInSecret(Lines):
    def read(self, bundle: Bundle) -> Iterator[Record]:  # noqa: D102
        yield from list(super().read(bundle))


class Counting(Lines):
    """The id depends on the place in the file."""

    def record(self, text: str, number: int) -> Record:  # noqa: D102
        return replace(super().record(text, number), id=record_id(text, str(number)))


class Dating(Lines):
    """The time of import is made a date."""

    def record(self, text: str, number: int) -> Record:  # noqa: D102
        return replace(super().record(text, number), text=f"{text} {time.perf_counter_ns()}")


class NamedAfterTheFile(Lines):
    def read(self, bundle: Bundle) -> Iterator[Record]:  # noqa: D102
        return (replace(record, title=bundle.name) for record in super().read(bundle))


class Fragile(Lines):
    """One bad byte loses everything."""

    def read(self, bundle: Bundle) -> Iterator[Record]:  # noqa: D102
        bundle.head().decode()
        return super().read(bundle)


class Obedient(Lines):
    """Takes any word for an encoding."""

    def read(self, bundle: Bundle) -> Iterator[Record]:  # noqa: D102
        "".encode(bundle.encoding or "utf-8")
        return super().read(bundle)


def changed(**known: Any) -> type[Lines]:
    """A good importer, but for these fields of its readable, or else its unreadable records."""

    class Changed(Lines):
        def record(self, text: str, number: int) -> Record:
            record = super().record(text, number)
            return replace(record, **known) if ("reason" in known) == (record.kind == "unreadable") else record

    return Changed


@pytest.mark.parametrize(
    ("importer", "law"),
    [
        (Shouting, "test_it_has_a_name_and_a_revision"),
        (Blind, "test_it_claims_its_samples"),
        (Greedy, "test_it_claims_nothing_else"),
        (Nervous, "test_claiming_never_raises"),
        (Hoarding, "test_reading_gives_an_iterator"),
        (HoardingInSecret, "test_reading_streams"),
        (Counting, "test_ids_depend_on_the_raw_record_alone"),
        (Dating, "test_reading_twice_gives_the_same"),
        (NamedAfterTheFile, "test_the_name_of_the_file_changes_nothing"),
        (Fragile, "test_no_damage_raises"),
        (Obedient, "test_whatever_encoding_the_user_names"),
        *(
            (changed(**known), "test_records_can_be_stored")
            for known in (
                {"id": "6FF1A48D-0000-5000-8000-000000000000"},
                {"id": "6ff1a48d-0000-4000-8000-000000000000"},
                {"kind": "quote"},
                {"revision": 2},
                {"title": "a\0b"},
                {"author": "\ud800"},
                {"text": "a\r\nb"},
                {"location_start": 5, "location_end": 4},
                {"at": "2024-08-22"},
                {"at": "2024-08-22T18:10:53Z"},
                {"at": "22 August"},
                {"offset": "CET"},
                {"reason": None},
                {"reason": "It is bad.", "text": " "},
                {"reason": "There is no date in: ? Who speaks here, and to whom?"},
            )
        ),
    ],
)
def test_a_broken_promise_is_noticed(importer: type[Lines], law: str) -> None:
    """Each law fails for the importer that breaks it: an assertion with a sentence, or the importer's own error."""

    class Contract(LinesContract):
        pass

    Contract.importer = importer()
    with pytest.raises((AssertionError, UnicodeError, LookupError, ValueError)):
        getattr(Contract(), law)()
