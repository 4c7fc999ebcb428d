"""The words of the meta line in each language of the Kindle's interface: a table, one entry a language."""

from dataclasses import dataclass
from typing import Literal

Evidence = Literal["R", "F", "C"]
"""R: seen in a file that a device or an app wrote. F: in another project's test data. C: only in another's code."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One way in which a language wrote its meta lines at some time.

    `{}` stands for the number or the range. The first letter of a word may be of either case, `'` stands for every
    apostrophe and `:` for the full-width colon too. Wordings of one language are read together, in any combination.
    """

    evidence: Evidence
    highlight: str
    note: str
    bookmark: str
    page: tuple[str, ...]
    location: tuple[str, ...]
    added: tuple[str, ...]
    clip: str | None = None
    kind_last: bool = False
    """The kind follows the position, as in Japanese and Chinese."""


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A language: its months, January first, and its wordings, the newest first."""

    code: str
    months: tuple[str, ...]
    wordings: tuple[Wording, ...]

    def month(self, name: str) -> int | None:
        """The number of a month. English names count everywhere: KOReader translates its words but not its dates."""
        folded = name.casefold()
        for names in (self.months, ENGLISH.months):
            if folded in names:
                return names.index(folded) + 1
        return None


def _months(names: str) -> tuple[str, ...]:
    return tuple(names.split())


ENGLISH = Language(
    "en",
    _months("january february march april may june july august september october november december"),
    (
        Wording(  # Paperwhite 1 and later; the United States have "Location", the others "location"; KOReader's too
            "R",
            highlight="Your Highlight",
            note="Your Note",
            bookmark="Your Bookmark",
            clip="Clip This Article",
            page=("on page {}",),
            location=("on Location {}", "at location {}", "Location {}"),
            added=("Added on",),
        ),
        Wording(  # Kindle 2, 3, DX, 4
            "R",
            highlight="Highlight",
            note="Note",
            bookmark="Bookmark",
            page=("on Page {}", "Page {}"),
            location=("Loc. {}",),
            added=("Added on",),
        ),
        Wording(  # Kindle Touch, 2012 to 2013
            "F",
            highlight="Your Highlight",
            note="Your Note",
            bookmark="Your Bookmark",
            page=("on Page {}",),
            location=("Location {}",),
            added=("Added on",),
        ),
    ),
)

GERMAN = Language(
    "de",
    _months("januar februar märz april mai juni juli august september oktober november dezember"),
    (
        Wording(  # since November 2022
            "R",
            highlight="Deine Markierung",
            note="Deine Notiz",
            bookmark="Dein Lesezeichen",
            page=("auf Seite {}",),
            location=("bei Position {}", "Position {}"),
            added=("Hinzugefügt am",),
        ),
        Wording(  # a saved article wraps its kind round the position
            "R",
            highlight="Ihre Markierung",
            note="Ihre Notiz",
            bookmark="Ihr Lesezeichen",
            clip="Artikel",
            page=("auf Seite {}",),
            location=("bei Position {}", "Position {}", "bei Position {} speichern"),
            added=("Hinzugefügt am",),
        ),
        Wording(
            "C",
            highlight="Markierung",
            note="Notiz",
            bookmark="Lesezeichen",
            page=("auf Seite {}",),
            location=("Pos. {}",),
            added=("Hinzugefügt am",),
        ),
    ),
)

FRENCH = Language(
    "fr",
    _months("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    (
        Wording(
            "R",
            highlight="Votre surlignement",
            note="Votre note",
            bookmark="Votre signet",
            page=("sur la page {}",),
            location=("emplacement {}", "à l'emplacement {}"),
            added=("Ajouté le",),
        ),
        Wording(  # 2012 to 2018
            "F",
            highlight="Votre surlignement",
            note="Votre note",
            bookmark="Votre signet",
            page=("sur la page {}",),
            location=("Emplacement {}",),
            added=("Ajouté le", "Ajoutée le"),
        ),
    ),
)

SPANISH = Language(
    "es",
    _months("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
    (
        Wording(
            "R",
            highlight="La subrayado",
            note="La nota",
            bookmark="El marcador",
            page=("en la página {}",),
            location=("posición {}", "en la posición {}"),
            added=("Añadido el",),
        ),
        Wording(
            "C",
            highlight="Tu subrayado",
            note="Tu nota",
            bookmark="Tu marcador",
            page=("en la página {}",),
            location=("posición {}", "Ubicación {}"),
            added=("Añadido el",),
        ),
        Wording(  # 2013
            "F",
            highlight="Mi subrayado",
            note="Mi nota",
            bookmark="Mi marcador",
            page=("en la página {}",),
            location=("Posición {}",),
            added=("Añadido el",),
        ),
    ),
)

ITALIAN = Language(
    "it",
    _months("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"),
    (
        Wording(
            "R",
            highlight="La tua evidenziazione",
            note="La tua nota",
            bookmark="Il tuo segnalibro",
            page=("a pagina {}",),
            location=("posizione {}", "alla posizione {}"),
            added=("Aggiunto in data",),
        ),
        Wording(  # 2012 to 2013
            "F",
            highlight="La mia evidenziazione",
            note="Le mie note",
            bookmark="Il mio segnalibro",
            page=("a pagina {}",),
            location=("Posizione {}",),
            added=("Aggiunto il",),
        ),
    ),
)

PORTUGUESE = Language(
    "pt",
    _months("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"),
    (
        Wording(  # "ou posição" is what the device writes
            "R",
            highlight="Seu destaque",
            note="Sua nota",
            bookmark="Seu marcador",
            clip="Recortar este artigo",
            page=("na página {}",),
            location=("posição {}", "ou posição {}", "na posição {}"),
            added=("Adicionado:",),
        ),
        Wording(  # firmware of 2023, whose translation stops half-way
            "R",
            highlight="Your Highlight on Location",
            note="Sua nota",
            bookmark="Seu marcador",
            page=("na página {}",),
            location=("posição {}", "ou posição {}"),
            added=("Adicionado:",),
        ),
        Wording(  # 2013
            "F",
            highlight="Seu destaque",
            note="Sua nota",
            bookmark="Seu marcador de página",
            page=("na página {}",),
            location=("Posição {}",),
            added=("Adicionado na data",),
        ),
        Wording(  # Kindle 3 and 4; only the words for the date are known
            "C",
            highlight="Seu destaque",
            note="Sua nota",
            bookmark="Seu marcador",
            page=("na página {}",),
            location=("Posição {}",),
            added=("Data de adição:",),
        ),
    ),
)

DUTCH = Language(
    "nl",
    _months("januari februari maart april mei juni juli augustus september oktober november december"),
    (
        Wording(
            "R",
            highlight="Je highlight",
            note="Je notitie",
            bookmark="Je bladwijzer",
            page=("op pagina {}",),
            location=("locatie {}", "op locatie {}"),
            added=("Toegevoegd op",),
        ),
    ),
)

RUSSIAN = Language(
    "ru",
    _months("января февраля марта апреля мая июня июля августа сентября октября ноября декабря"),
    (
        Wording(
            "R",
            highlight="Ваш выделенный отрывок",
            note="Ваша заметка",
            bookmark="Ваша закладка",
            page=("на странице {}",),
            location=("Место {}", "в месте {}"),
            added=("Добавлено:",),
        ),
    ),
)

JAPANESE = Language(
    "ja",
    (),
    (
        Wording(
            "R",
            highlight="のハイライト",
            note="のメモ",
            bookmark="のブックマーク",
            page=("{}ページ",),
            location=("位置No. {}", "位置 No. {}"),
            added=("作成日:",),
            kind_last=True,
        ),
        Wording(  # 2013
            "F",
            highlight="ハイライト",
            note="メモ",
            bookmark="ブックマーク",
            page=("ページ{}",),
            location=("位置No. {}",),
            added=("追加日:",),
        ),
    ),
)

CHINESE = Language(
    "zh",
    (),
    (
        Wording(
            "R",
            highlight="的标注",
            note="的笔记",
            bookmark="的书签",
            page=("您在第 {} 页",),
            location=("（位置 #{}）", "您在位置 #{}"),
            added=("添加于",),
            kind_last=True,
        ),
        Wording(  # 2013
            "F",
            highlight="我的标注",
            note="我的笔记",
            bookmark="我的书签",
            page=("第{}页",),
            location=("位置{}",),
            added=("已添加至",),
        ),
    ),
)

LANGUAGES = (ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE, DUTCH, RUSSIAN, JAPANESE, CHINESE)
