"""Shelves in memory, with books such as real libraries hold, and makers of single passages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kindlehl.domain.facts import record_id
from kindlehl.domain.library import Book, Highlight

AUSTEN = (
    (
        "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want "
        "of a wife."
    ),
    "I could easily forgive his pride, if he had not mortified mine.",
    "Vanity and pride are different things, though the words are often used synonymously.",
)
THOREAU = (
    (
        "I went to the woods because I wished to live deliberately, to front only the essential facts of life, and see "
        "if I could not learn what it had to teach, and not, when I came to die, discover that I had not lived."
    ),
    "The mass of men lead lives of quiet desperation.",
)
CHINESE = (
    "满纸荒唐言，一把辛酸泪！\n都云作者痴，谁解其中味？",
    "假作真时真亦假，无为有处有还无。",
    "世事洞明皆学问，人情练达即文章。",
)
JAPANESE = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "親譲りの無鉄砲で小供の時から損ばかりしている。",
)
KOREAN = ("나 보기가 역겨워 가실 때에는 말없이 고이 보내 드리우리다.",)
ARABIC = ("اقرأ كتابك كفى بنفسك اليوم عليك حسيبا، والكتاب خير جليس في الزمان.", "على قدر أهل العزم تأتي العزائم")
HEBREW = ("אם אין אני לי, מי לי? וכשאני לעצמי, מה אני? ואם לא עכשיו, אימתי?",)


def book(title: str = "Walden", author: str | None = "Henry David Thoreau", **known: Any) -> Book:
    return Book(record_id("book", title), title, author, (title,), **known)


def passage(of: Book, text: str = "A passage.", **known: Any) -> Highlight:
    ident = known.pop("id", None) or record_id("test", of.title, text, repr(sorted(known.items())))
    return Highlight(ident, known.pop("kind", "highlight"), of.id, of.title, of.author, text, **known)


def bare_note(of: Book, note: str, **known: Any) -> Highlight:
    return passage(of, "", kind="note", note=note, **known)


@dataclass
class MemoryShelf:
    """A shelf as the export service gives it."""

    shelved: dict[Book, Sequence[Highlight]] = field(default_factory=dict[Book, Sequence[Highlight]])
    lines: tuple[bytes, ...] = ()
    served: list[str] = field(default_factory=list[str])
    """The titles whose highlights were asked for: what was read so far."""

    def books(self) -> Iterable[Book]:  # noqa: D102 - the contract says it
        yield from self.shelved

    def highlights(self, of: Book) -> Sequence[Highlight]:  # noqa: D102
        self.served.append(of.title)
        return self.shelved[of]

    def facts(self) -> Iterator[bytes]:  # noqa: D102
        yield from self.lines


def one(of: Book, *passages: Highlight) -> MemoryShelf:
    return MemoryShelf({of: passages})


def sample() -> MemoryShelf:
    """A library of eight books: several scripts, a text of three pages, no highlights, three hundred."""
    austen = book("Pride and Prejudice", "Jane Austen")
    woods = book(
        "Walden; or, Life in the Woods: with an Introduction on the Art of Living Simply, and Notes",
        "Henry David Thoreau",
    )
    dream, cat = book("红楼梦", "曹雪芹"), book("吾輩は猫である", "夏目漱石")
    azalea, poems, fathers = book("진달래꽃", "김소월"), book("ديوان المتنبي", "المتنبي"), book("פרקי אבות", None)
    unread = book("An Unread Book", None)
    color = ("yellow", "blue", "pink", "orange", "green", "purple", "red", None, "teal")
    many = [
        passage(
            austen,
            AUSTEN[number % 3],
            id=record_id("sample", str(number)),
            chapter=f"Chapter {number // 25 + 1}" if number >= 10 else None,
            page=str(number + 1),
            location_start=100 + 7 * number,
            location_end=102 + 7 * number,
            added_at=f"2024-08-{number % 28 + 1:02}T18:{number % 60:02}:00",
            color=color[number % len(color)],
            note="Compare the first proposal.\n\nAnd the second." if number % 10 == 3 else None,
            tags=("irony", "to read") if number % 10 == 4 else (),
            favorite=number % 17 == 0,
            truncated=number % 23 == 5,
        )
        for number in range(299)
    ]
    many.insert(
        5, bare_note(austen, "Who speaks here? The narrator, or the town?", page="6", added_at="2024-08-06T07:05:00")
    )
    long = " ".join([*THOREAU] * 12) + "\n\n" + " ".join([*THOREAU] * 12)
    return MemoryShelf(
        {
            austen: many,
            woods: [
                passage(woods, long, color="green", location_start=88, note=long[:900]),
                passage(woods, THOREAU[1]),
            ],
            dream: [
                passage(dream, text, chapter=f"第{n}回", color="yellow", page=str(n))
                for n, text in zip("一二三", CHINESE, strict=True)
            ],
            cat: [replace(passage(cat, text, color="blue"), note="冒頭の一文。 Compare Walden.") for text in JAPANESE],
            azalea: [passage(azalea, text, color="pink", page="3") for text in KOREAN],
            poems: [
                passage(poems, text, color="orange", page="12", note="ملاحظة قصيرة.", location_start=7)
                for text in ARABIC
            ],
            fathers: [passage(fathers, text, color="purple", added_at="2024-12-31T23:59:59") for text in HEBREW],
            unread: [],
        },
        (b'{"kind":"highlight","text":"caf\xc3\xa9"}', b'{"n":  1.0}'),
    )
