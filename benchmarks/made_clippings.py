"""A made-up `My Clippings.txt` of any size: invented words with the frequencies of real ones, in nine languages.

The same count and seed give the same bytes. About 400 records a book; three books are read at a time; of the records a
tenth are notes, one in twenty is a highlight resized, three in a hundred are bookmarks.
"""

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

MIXED: Mapping[str, float] = {
    "en": 80, "de": 4, "fr": 3, "es": 3, "it": 2, "pt": 2, "ru": 1, "zh": 3, "ja": 2,
}  # fmt: skip
"""Shares of the languages, in percent of books. Five in a hundred are Chinese or Japanese."""
ENGLISH: Mapping[str, float] = {"en": 100}

_AUTHORS = ("Ada Quill", "Bo Marsh", "Cy Lantern", "Dee Harrow", "Eli Thorn", "Fay Umber", "Gil Sedge", "Ira Vale")


@dataclass(frozen=True, slots=True)
class _Wording:
    """How one language writes its meta line."""

    kinds: tuple[str, str, str]  # highlight, note, bookmark
    paged: str
    pageless: str
    date: Callable[[datetime], str]


def _names(names: str) -> list[str]:
    return names.split()


def _clock24(at: datetime) -> str:
    return f"{at.hour:02}:{at.minute:02}:{at.second:02}"


def _western(months: str, pattern: str) -> Callable[[datetime], str]:
    names = _names(months)

    @lru_cache(maxsize=8)
    def day(year: int, month: int, day_: int) -> str:
        return pattern.format(d=day_, m=names[month - 1], y=year)

    return lambda at: f"{day(at.year, at.month, at.day)} {_clock24(at)}"


_EN_MONTHS = _names("January February March April May June July August September October November December")
_EN_DAYS = _names("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")


@lru_cache(maxsize=8)
def _english_day(year: int, month: int, day: int) -> str:
    return f"{_EN_DAYS[datetime(year, month, day).weekday()]}, {_EN_MONTHS[month - 1]} {day}, {year}"  # noqa: DTZ001 -- a Kindle's clock has no zone


def _english(at: datetime) -> str:
    half = "AM" if at.hour < 12 else "PM"
    return f"{_english_day(at.year, at.month, at.day)} {at.hour % 12 or 12}:{at.minute:02}:{at.second:02} {half}"


def _japanese(at: datetime) -> str:
    return f"{at.year}年{at.month}月{at.day}日{'月火水木金土日'[at.weekday()]}曜日 {_clock24(at)}"


def _chinese(at: datetime) -> str:
    half = "上午" if at.hour < 12 else "下午"
    week = "一二三四五六日"[at.weekday()]
    return f"{at.year}年{at.month}月{at.day}日星期{week} {half}{at.hour % 12 or 12}:{at.minute:02}:{at.second:02}"


_WORDINGS = {
    "en": _Wording(
        ("Your Highlight", "Your Note", "Your Bookmark"),
        "- {kind} on page {page} | Location {place} | Added on {date}",
        "- {kind} on Location {place} | Added on {date}",
        _english,
    ),
    "de": _Wording(
        ("Ihre Markierung", "Ihre Notiz", "Ihr Lesezeichen"),
        "- {kind} auf Seite {page} | bei Position {place} | Hinzugefügt am {date}",
        "- {kind} bei Position {place} | Hinzugefügt am {date}",
        _western(
            "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
            "Montag, {d}. {m} {y}",
        ),
    ),
    "fr": _Wording(
        ("Votre surlignement", "Votre note", "Votre signet"),
        "- {kind} sur la page {page} | emplacement {place} | Ajouté le {date}",
        "- {kind} à l'emplacement {place} | Ajouté le {date}",
        _western(
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
            "lundi {d} {m} {y}",
        ),
    ),
    "es": _Wording(
        ("La subrayado", "La nota", "El marcador"),
        "- {kind} en la página {page} | posición {place} | Añadido el {date}",
        "- {kind} en la posición {place} | Añadido el {date}",
        _western(
            "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
            "lunes, {d} de {m} de {y}",
        ),
    ),
    "it": _Wording(
        ("La tua evidenziazione", "La tua nota", "Il tuo segnalibro"),
        "- {kind} a pagina {page} | posizione {place} | Aggiunto in data {date}",
        "- {kind} alla posizione {place} | Aggiunto in data {date}",
        _western(
            "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
            "lunedì {d} {m} {y}",
        ),
    ),
    "pt": _Wording(
        ("Seu destaque", "Sua nota", "Seu marcador"),
        "- {kind} na página {page} | posição {place} | Adicionado: {date}",
        "- {kind} na posição {place} | Adicionado: {date}",
        _western(
            "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
            "segunda-feira, {d} de {m} de {y}",
        ),
    ),
    "ru": _Wording(
        ("Ваш выделенный отрывок", "Ваша заметка", "Ваша закладка"),
        "- {kind} на странице {page} | Место {place} | Добавлено: {date}",
        "- {kind} в месте {place} | Добавлено: {date}",
        _western(
            "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
            "понедельник, {d} {m} {y} г. в",
        ),
    ),
    "ja": _Wording(
        ("のハイライト", "のメモ", "のブックマーク"),
        "- {page}ページ|位置No. {place}{kind} |作成日: {date}",
        "- 位置No. {place}{kind} |作成日: {date}",
        _japanese,
    ),
    "zh": _Wording(
        ("的标注", "的笔记", "的书签"),
        "- 您在第 {page} 页（位置 #{place}）{kind} | 添加于 {date}",
        "- 您在位置 #{place}{kind} | 添加于 {date}",
        _chinese,
    ),
}  # fmt: skip

# Onsets, vowels and codas to invent words from; no language is imitated but in its letters.
_SOUNDS = {
    "en": ("b br c d dr f fl g gr h j k l m n p pl qu r s sh st t th tr v w", "a e i o u ea oo", " n r s t l d nd rn"),
    "de": ("b d f g h k l m n p r s sch st t w z", "a e i o u ä ö ü ei", " n r s t ch l"),
    "fr": ("b c d f g j l m n p r s t v", "a e i o u é è ê ou", " n r s t l"),
    "es": ("b c d f g h l m n ñ p r s t v", "a e i o u á é í ó", " n r s l"),
    "it": ("b c d f g l m n p r s t v z", "a e i o u à ò", " n r l"),
    "pt": ("b c d f g l m n p r s t v", "a e i o u ã õ ç", " n r s m"),
    "ru": ("б в г д ж з к л м н п р с т х ч ш", "а е и о у ы я", " н р с т й л"),
}


class _Words:
    """A vocabulary in which the word of rank r is about 1 / r as frequent as the first (Zipf)."""

    def __init__(self, language: str, rng: random.Random) -> None:
        self._rng = rng
        self._gap = " "
        if language in ("zh", "ja"):
            self._gap = ""
            letters = [chr(0x4E00 + 5 * n) for n in range(2400)]
            rng.shuffle(letters)
            kana = [chr(0x3042 + n) for n in range(70)]
            self.words = (
                [c for pair in zip(kana, letters, strict=False) for c in pair] + letters[70:]
                if language == "ja"
                else letters
            )
        else:
            self.words = self._invented(language, 20_000 if language == "en" else 8_000)
        self._cumulated = list(accumulate(1 / (rank + 2.7) for rank in range(len(self.words))))

    def _invented(self, language: str, count: int) -> list[str]:
        onsets, vowels, codas = (sounds.split(" ") for sounds in _SOUNDS[language])
        choice = self._rng.choice
        found: dict[str, None] = {}
        tries = 0
        while len(found) < count:
            # Frequent words are short: another syllable once the shorter words are rare.
            tries += 1
            syllables = 1 + (tries > 500) + (tries > 5000) * self._rng.randint(0, 1)
            found["".join(choice(onsets) + choice(vowels) + choice(codas) for _ in range(syllables))] = None
        return list(found)

    def text(self, count: int) -> str:
        """So many words as one sentence; of characters, twice as many."""
        words = self._rng.choices(self.words, cum_weights=self._cumulated, k=count * (1 if self._gap else 2))
        if not self._gap:
            return "".join(words) + "。"
        if count > 12:
            words[count // 2] += ","
        return " ".join(words).capitalize() + "."


@dataclass(slots=True)
class _Book:
    title: str
    wording: _Wording
    words: _Words
    paged: bool
    left: int
    location: int = 40
    last: tuple[int, str] | None = field(default=None)  # start and text of the latest highlight


def write(path: Path, count: int, languages: Mapping[str, float] = MIXED, seed: int = 1) -> None:
    """Write a file of so many records, one after the other: a million take no more memory than ten."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write("\ufeff")
        stream.writelines(_records(count, languages, seed))


def appended(path: Path, to: Path) -> None:
    """A copy of a file with one record more."""
    import shutil

    shutil.copyfile(path, to)
    with to.open("a", encoding="utf-8", newline="") as stream:
        stream.write(
            "A Late Book (Ada Quill)\r\n- Your Highlight on page 7 | Location 100-101 | Added on Monday, "
            "April 18, 2033 7:28:27 AM\r\n\r\nOne more line.\r\n==========\r\n"
        )


def _records(count: int, languages: Mapping[str, float], seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    words = {language: _Words(language, rng) for language in languages}
    at = datetime(2012, 1, 1, 8)  # noqa: DTZ001 -- a Kindle's clock has no zone
    number = 0

    def next_book() -> _Book:
        nonlocal number
        number += 1
        language = rng.choices(list(languages), weights=list(languages.values()))[0]
        name = words[language].text(rng.randint(2, 5)).rstrip(".。")
        title = f"{name} {number} ({_AUTHORS[number % len(_AUTHORS)]})"
        return _Book(title, _WORDINGS[language], words[language], rng.random() < 0.6, rng.randint(300, 500))

    reading = [next_book() for _ in range(3)]
    for _ in range(count):
        place = rng.randrange(3)
        book = reading[place]
        at += timedelta(seconds=rng.randint(20, 600))
        yield _record(book, at, rng)
        book.left -= 1
        if not book.left:
            reading[place] = next_book()


def _record(book: _Book, at: datetime, rng: random.Random) -> str:
    chance = rng.random()
    kind, body = 0, ""
    if chance < 0.03:
        kind, start, stop = 2, book.location, None
    elif chance < 0.13 and book.last:
        kind, body = 1, book.words.text(rng.randint(2, 12))
        # A note sits at the end of what it is about.
        start, stop = book.last[0] + len(book.last[1]) // 150, None
    elif chance < 0.18 and book.last:
        start, before = book.last
        body = (
            before[: len(before) // 2].rstrip()
            if rng.random() < 0.3
            else f"{before} {book.words.text(rng.randint(3, 15))}"
        )
        stop = start + len(body) // 150
    else:
        body = book.words.text(min(90, max(4, round(rng.lognormvariate(3.1, 0.6)))))
        start = book.location
        stop = start + len(body) // 150
    if kind == 0:
        book.last = start, body
        book.location = stop + rng.randint(1, 30)
    where = str(start) if stop is None else f"{start}-{stop}"
    form = book.wording.paged if book.paged else book.wording.pageless
    meta = form.format(kind=book.wording.kinds[kind], page=start // 15 + 1, place=where, date=book.wording.date(at))
    return f"{book.title}\r\n{meta}\r\n\r\n{body}\r\n==========\r\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
