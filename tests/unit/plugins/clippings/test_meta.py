"""Meta lines: every row of the language table, every form of a position, and what surrounds them."""

import unicodedata

import pytest

from kindlehl_plugins.clippings.languages import LANGUAGES
from kindlehl_plugins.clippings.meta import Meta, MetaReader, _forms

AT = "2024-08-22T18:10:53"
PLACE = (1300, 1301, "112", AT, None)

# For each wording of each language, in the table's order: its highlight, note, bookmark and clip, as written.
SAMPLES: dict[tuple[str, int], list[tuple[str, Meta]]] = {
    ("en", 0): [
        (
            "- Your Highlight on page 112 | Location 1300-1301 | Added on Thursday, August 22, 2024 6:10:53 PM",
            Meta("highlight", *PLACE),
        ),
        (
            "- Your Note at location 1300 | Added on Thursday, 22 August 2024 18:10:53",
            Meta("note", 1300, 1300, None, AT, None),
        ),
        (
            "- Your Bookmark on page 112 | Added on Thursday, August 22, 2024 6:10:53 PM",
            Meta("bookmark", None, None, "112", AT, None),
        ),
        (
            "- Clip This Article on Location 1300 | Added on Thursday, August 22, 2024 6:10:53 PM",
            Meta("clip", 1300, 1300, None, AT, None),
        ),
        (
            "- Your highlight on page 112 | Added on Thursday, August 22, 2024 06:10:53 PM",
            Meta("highlight", None, None, "112", AT, None),
        ),
    ],
    ("en", 1): [
        (
            "- Highlight on Page 7 | Loc. 102-3  | Added on Thursday, May 05, 2011, 07:47 AM",
            Meta("highlight", 102, 103, "7", "2011-05-05T07:47:00", None),
        ),
        (
            "- Note Loc. 1492  | Added on Thursday, 24 January 13 17:54:15 GMT+00:59",
            Meta("note", 1492, 1492, None, "2013-01-24T17:54:15", "+00:59"),
        ),
        (
            "- Bookmark Page 87  | Added on Thursday, May 05, 2011, 07:47 AM",
            Meta("bookmark", None, None, "87", "2011-05-05T07:47:00", None),
        ),
    ],
    ("en", 2): [
        (
            "- Your Highlight Location 449-449 | Added on Thursday, 25 April 13 23:45:11",
            Meta("highlight", 449, 449, None, "2013-04-25T23:45:11", None),
        ),
        (
            "- Your Note on Page 125-125 | Added on Tuesday, April 24, 2012, 04:13 PM",
            Meta("note", None, None, "125", "2012-04-24T16:13:00", None),
        ),
    ],
    ("de", 0): [
        (
            (
                "- Deine Markierung auf Seite 112 | bei Position 1300-1301 | "
                "Hinzugefügt am Donnerstag, 22. August 2024 18:10:53"
            ),
            Meta("highlight", *PLACE),
        ),
        (
            "- Deine Notiz bei Position 1300 | Hinzugefügt am Donnerstag, 22. August 2024 18:10:53",
            Meta("note", 1300, 1300, None, AT, None),
        ),
        (
            "- Dein Lesezeichen auf Seite 112 | Position 1300 | Hinzugefügt am Donnerstag, 22. August 2024 18:10:53",
            Meta("bookmark", 1300, 1300, "112", AT, None),
        ),
    ],
    ("de", 1): [
        (
            "- Ihre Markierung Position 14-14 | Hinzugefügt am Donnerstag, 22. August 2024 um 18:10:53 Uhr",
            Meta("highlight", 14, 14, None, AT, None),
        ),
        (
            "- Ihr Lesezeichen auf Seite 112 | Position 1300 | Hinzugefügt am Donnerstag, 22. August 2024 18:10:53",
            Meta("bookmark", 1300, 1300, "112", AT, None),
        ),
        (
            "- Artikel bei Position 699 speichern | Hinzugefügt am Donnerstag, 22. August 2024 18:10:53",
            Meta("clip", 699, 699, None, AT, None),
        ),
    ],
    ("de", 2): [
        (
            "- Notiz Pos. 96 | Hinzugefügt am Donnerstag, 22. August 2024 18:10:53",
            Meta("note", 96, 96, None, AT, None),
        )
    ],
    ("fr", 0): [
        (
            "- Votre surlignement sur la page 112 | emplacement 1300-1301 | Ajouté le jeudi 22 août 2024 18:10:53",
            Meta("highlight", *PLACE),
        ),
        (
            "- Votre note à lʼemplacement 1300 | Ajouté le jeudi 22 août 2024 18:10:53",
            Meta("note", 1300, 1300, None, AT, None),
        ),
        (
            "- Votre signet à l’emplacement 1300 | Ajouté le jeudi 22 août 2024 18:10:53",
            Meta("bookmark", 1300, 1300, None, AT, None),
        ),
    ],
    ("fr", 1): [
        (
            "- Votre note sur la page 112 | Emplacement 1300 | Ajoutée le jeudi 22 août 2024 à 18:10:53",
            Meta("note", 1300, 1300, "112", AT, None),
        )
    ],
    ("es", 0): [
        (
            (
                "- La subrayado en la página 112 | posición 1300-1301 | "
                "Añadido el jueves, 22 de agosto de 2024 6:10:53 p. m."
            ),
            Meta("highlight", *PLACE),
        ),
        (
            "- La nota en la posición 1300 | Añadido el jueves, 22 de agosto de 2024 18:10:53",
            Meta("note", 1300, 1300, None, AT, None),
        ),
        (
            "- El marcador en la página 112 | Añadido el jueves, 22 de agosto de 2024 18:10:53",
            Meta("bookmark", None, None, "112", AT, None),
        ),
    ],
    ("es", 1): [
        (
            "- Tu subrayado en la página 112 | Ubicación 1300-1301 | Añadido el jueves, 22 de agosto de 2024 18:10:53",
            Meta("highlight", *PLACE),
        )
    ],
    ("es", 2): [
        (
            "- Mi subrayado en la página 112 | Posición 1300-1301 | Añadido el jueves 22 de agosto de 2024, 18:10:53",
            Meta("highlight", *PLACE),
        )
    ],
    ("it", 0): [
        (
            (
                "- La tua evidenziazione a pagina 112 | posizione 1300-1301 | "
                "Aggiunto in data giovedì 22 agosto 2024 18:10:53"
            ),
            Meta("highlight", *PLACE),
        ),
        (
            "-  La tua nota alla posizione 1300 | Aggiunto in data giovedì 22 agosto 2024 18:10:53",
            Meta("note", 1300, 1300, None, AT, None),
        ),
        (
            "- Il tuo segnalibro a pagina 112 | Aggiunto in data giovedì 22 agosto 2024 18:10:53",
            Meta("bookmark", None, None, "112", AT, None),
        ),
    ],
    ("it", 1): [
        (
            "- Le mie note a pagina 112 | Posizione 1300 | Aggiunto il giovedì 22 agosto 24, 18:10:53",
            Meta("note", 1300, 1300, "112", AT, None),
        )
    ],
    ("pt", 0): [
        (
            (
                "- Seu destaque na página 112 | posição 1300-1301 | "
                "Adicionado: quinta-feira, 22 de agosto de 2024 18:10:53"
            ),
            Meta("highlight", *PLACE),
        ),
        (
            "- Sua nota ou posição 1300 | Adicionado: quinta-feira, 22 de agosto de 2024 18:10:53",
            Meta("note", 1300, 1300, None, AT, None),
        ),
        (
            "- Recortar este artigo na posição 401 | Adicionado: quinta-feira, 22 de agosto de 2024 18:10:53",
            Meta("clip", 401, 401, None, AT, None),
        ),
    ],
    ("pt", 1): [
        (
            (
                "- Your Highlight on Location na página 112 | posição 1300-1301 | "
                "Adicionado: quinta-feira, 22 de agosto de 2024 18:10:53"
            ),
            Meta("highlight", *PLACE),
        )
    ],
    ("pt", 2): [
        (
            (
                "- Seu marcador de página na página 112 | Posição 1300 | "
                "Adicionado na data quinta-feira, 22 de agosto de 2024, 18:10:53"
            ),
            Meta("bookmark", 1300, 1300, "112", AT, None),
        )
    ],
    ("pt", 3): [
        (
            (
                "- Seu destaque Posição 1300-1301 | "
                "Data de adição: quinta-feira, 22 de agosto de 2024 18h10min53s GMT-03:00"
            ),
            Meta("highlight", 1300, 1301, None, AT, "-03:00"),
        )
    ],
    ("nl", 0): [
        (
            "- Je highlight op pagina 112 | locatie 1300 t/m 1301 | Toegevoegd op donderdag 22 augustus 2024 18:10:53",
            Meta("highlight", *PLACE),
        ),
        (
            "- Je notitie op locatie 1300 | Toegevoegd op donderdag 22 augustus 2024 18:10:53",
            Meta("note", 1300, 1300, None, AT, None),
        ),
        (
            "- Je bladwijzer op pagina xv t/m xv | Toegevoegd op donderdag 22 augustus 2024 18:10:53",
            Meta("bookmark", None, None, "xv", AT, None),
        ),
    ],
    ("ru", 0): [
        (
            (
                "– Ваш выделенный отрывок на странице 112 | Место 1300–1301 | "
                "Добавлено: четверг, 22 августа 2024 г. в 18:10:53"
            ),
            Meta("highlight", *PLACE),
        ),
        (
            "– Ваша заметка в месте 1300 | Добавлено: четверг, 22 августа 2024 г. в 18:10:53",
            Meta("note", 1300, 1300, None, AT, None),
        ),
        (
            "– Ваша закладка на странице 112 | Добавлено: четверг, 22 августа 2024 г. в 18:10:53",
            Meta("bookmark", None, None, "112", AT, None),
        ),
    ],
    ("ja", 0): [
        ("- 112ページ|位置No. 1300-1301のハイライト |作成日: 2024年8月22日木曜日 18:10:53", Meta("highlight", *PLACE)),
        ("- 位置No. 1300のメモ |作成日: 2024年8月22日木曜日 18:10:53", Meta("note", 1300, 1300, None, AT, None)),
        (
            "- 位置 No. 1300のブックマーク |作成日: 2024年8月22日木曜日 18:10:53",
            Meta("bookmark", 1300, 1300, None, AT, None),
        ),
    ],
    ("ja", 1): [
        (
            "- ハイライト ページ112 | 位置No. 1300-1301 | 追加日：2024年8月22日 (木曜日) 18:10:53",
            Meta("highlight", *PLACE),
        ),
        ("- メモ 位置No. 3 | 追加日：2024年8月22日 (木曜日) 18:10:53", Meta("note", 3, 3, None, AT, None)),
    ],
    ("zh", 0): [
        (
            "- 您在第 112 页（位置 #1300-1301）的标注 | 添加于 2024年8月22日星期四 下午6:10:53",
            Meta("highlight", *PLACE),
        ),
        ("- 您在位置 #2544 的笔记 | 添加于 2024年8月22日星期四 下午6:10:53", Meta("note", 2544, 2544, None, AT, None)),
        (
            "- 您在第 48-48 页的书签 | 添加于 2024年8月22日星期四 下午6:10:53",
            Meta("bookmark", None, None, "48", AT, None),
        ),
    ],
    ("zh", 1): [
        (
            "- 我的标注 第112页 | 位置1300-1301 | 已添加至 2024年8月22日 星期四 18:10:53",
            Meta("highlight", *PLACE),
        )
    ],
}
LINES = [sample for samples in SAMPLES.values() for sample in samples]


def test_every_wording_of_the_table_has_a_sample() -> None:
    """A language or an older wording without a sample here would be unproved."""
    rows = {(language.code, row) for language in LANGUAGES for row in range(len(language.wordings))}
    assert rows == set(SAMPLES)


@pytest.mark.parametrize(("line", "meta"), LINES)
def test_a_line_of_every_wording_is_read(line: str, meta: Meta) -> None:
    """Kind, position, page, time and offset, whichever language was met before."""
    assert MetaReader().read(line) == meta


def test_what_was_read_before_changes_nothing() -> None:
    """The language tried first is a matter of speed: each line is written in exactly one form."""
    for line, _ in LINES:
        assert sum(form.read(line) is not None for form in _forms()) == 1, line
    reader = MetaReader()
    assert [reader.read(line) for line, _ in [*LINES, *reversed(LINES)]] == [
        meta for _, meta in [*LINES, *reversed(LINES)]
    ]


@pytest.mark.parametrize(("line", "meta"), LINES)
@pytest.mark.parametrize(
    "disguise",
    [
        lambda line: unicodedata.normalize("NFD", line),
        lambda line: line.replace(" ", "\u00a0"),
        lambda line: line.replace(" ", "\u202f"),
        lambda line: f"\u200f{line}\u200e ",
        lambda line: line.replace("|", "\u200e|\u200e"),
        lambda line: line.replace(" | ", "  |  "),
    ],
    ids=["decomposed", "nbsp", "narrow-nbsp", "marks-around", "marks-inside", "wide-bars"],
)
def test_spaces_marks_and_unicode_forms_change_nothing(line: str, meta: Meta, disguise: object) -> None:
    """Invisible marks, special spaces and decomposed letters are looked through."""
    assert callable(disguise)
    assert MetaReader().read(disguise(line)) == meta


@pytest.mark.parametrize(
    ("written", "range_"),
    [
        ("123-4", (123, 124)),
        ("1451-53", (1451, 1453)),
        ("1198-201", (1198, 1201)),
        ("10-25", (10, 25)),
        ("96-96", (96, 96)),
        ("99-101", (99, 101)),
        ("25-10", (10, 25)),
        ("199-0", (199, 199)),
        ("1456", (1456, 1456)),
    ],
)
def test_the_end_of_a_range_takes_the_digits_it_left_out(written: str, range_: tuple[int, int]) -> None:
    """Old Kindles shorten the end; ends of equal length are never touched; a start is never after its end."""
    meta = MetaReader().read(f"- Highlight Loc. {written}  | Added on Thursday, May 05, 2011, 07:47 AM")
    assert meta is not None
    assert (meta.start, meta.end) == range_


@pytest.mark.parametrize(
    ("written", "page"),
    [("12", "12"), ("53-53", "53"), ("12-13", "12-13"), ("ix", "ix"), ("xvi-xvi", "xvi"), ("A1", "A1"), ("007", "007")],
)
def test_a_page_is_its_printed_label(written: str, page: str) -> None:
    """Roman pages stay Roman; a range of one page is that page; a real range is kept."""
    meta = MetaReader().read(f"- Your Highlight on page {written} | Added on Thursday, May 05, 2011, 07:47 AM")
    assert meta is not None
    assert meta.page == page


def test_a_line_stays_readable_without_its_date() -> None:
    """A date that cannot be read is none; kind and position are kept."""
    meta = MetaReader().read("- Your Highlight on Location 20-21 | Added on Someday")
    assert meta == Meta("highlight", 20, 21, None, None, None)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "- ",
        "- Your Highlight | Added on Thursday, May 05, 2011, 07:47 AM",
        "- Your Highlight on Location 20-21",
        "- Your Highlight on Location 12345678901 | Added on Thursday, May 05, 2011, 07:47 AM",
        "- three apples | 4 pears | 5 plums",
        "Your Highlight on Location 20-21 | Added on Thursday, May 05, 2011, 07:47 AM",
        "- Your Highlight on Location 20-21 | Added on " + "9" * 1_000_000,
        "- " + " " * 390,
        "- Your Highlight" + " " * 380 + "x",
    ],
)
def test_other_lines_are_none(line: str) -> None:
    """A line without position, date words or kind is no meta line; nor is one of absurd length."""
    assert MetaReader().read(line) is None
