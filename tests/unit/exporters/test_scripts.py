"""Scripts: the language tag and the direction of a text, and the fonts it asks for."""

import pytest

from kindlehl_exporters import scripts
from kindlehl_exporters.scripts import direction, language, missing_fonts

from .shelves import ARABIC, AUSTEN, CHINESE, HEBREW, JAPANESE, KOREAN


@pytest.mark.parametrize(
    ("text", "tag", "towards"),
    [
        (AUSTEN[0], "", "ltr"),
        ("Déjà vu, naïve façade", "", "ltr"),
        (CHINESE[0], "zh-CN", "ltr"),
        (JAPANESE[0], "ja", "ltr"),
        (KOREAN[0], "ko", "ltr"),
        (ARABIC[0], "und-Arab", "rtl"),
        (HEBREW[0], "he", "rtl"),
        ("The character 道 means the way, and is written like that.", "", "ltr"),
        ("«שלום» he said", "he", "rtl"),
        ("12 – 34 …", "", "ltr"),
        ("", "", "ltr"),
    ],
)
def test_a_text_tells_its_language_and_direction(text: str, tag: str, towards: str) -> None:
    """By its letters, as far as they tell; a borrowed word makes no language."""
    assert (language(text), direction(text)) == (tag, towards)


def test_han_characters_alone_are_what_the_book_is() -> None:
    """A chapter called 第一章 of a Japanese book gets Japanese shapes."""
    assert language("第一章", "ja") == "ja"


def test_a_script_without_a_font_is_named_with_the_package_that_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence a script; text that Latin fonts show asks for nothing."""
    monkeypatch.setattr(scripts, "_has_font", lambda language: language == "he")
    assert missing_fonts("plain – “text” " + HEBREW[0]) == []
    assert missing_fonts(CHINESE[0]) == [
        "No font here shows Chinese: it is printed as empty boxes. `apt install fonts-noto-cjk` brings one."
    ]


def test_without_fontconfig_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where fc-list is absent nobody knows, so nobody is warned."""
    scripts._has_font.cache_clear()
    monkeypatch.setattr(scripts.shutil, "which", lambda name: None)
    assert missing_fonts(CHINESE[0]) == []
    scripts._has_font.cache_clear()
