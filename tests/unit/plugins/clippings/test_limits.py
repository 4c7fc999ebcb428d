"""The clipping-limit message: known where it is one, and only there."""

import pytest

from kindlehl_plugins.clippings import limits


@pytest.mark.parametrize(
    "message",
    [
        "<You have reached the clipping limit for this item>",
        "<You have reached the clipping limit set by the publisher for this book>",
        "<You have exceeded your clippings limit>",
        "<Sie haben die maximale Anzahl an Clipboard-Einträgen für diesen Inhalt erreicht>",
        "<Je hebt de knipsellimiet bereikt voor dit item>",
        "<このアイテムのクリップの上限に達しました>",
        "<您已达到本内容的剪贴上限>",
        "<Você alcançou o limite de recortes para este item>",
        "<이 항목의 클리핑 한도에 도달했습니다>",
    ],
)
def test_a_known_message_is_taken_off_the_text(message: str) -> None:
    """Alone it leaves nothing; after a part of the text it leaves that part."""
    assert limits.split(message) == ("", True)
    assert limits.split(f"the part that fitted {message}") == ("the part that fitted", True)


@pytest.mark.parametrize(
    "message", ["<Ha alcanzado el límite de recortes de este elemento>", "<Vous avez atteint la limite de passages>"]
)
def test_an_unknown_sentence_about_a_limit_counts_only_alone(message: str) -> None:
    """The words of some languages are not known: nothing but such a sentence is a message, a text before it is none."""
    assert limits.split(message) == ("", True)
    assert limits.split(f"a text {message}") == (f"a text {message}", False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a > b",
        "see <https://example.org/limit>",
        '<xs:limit name="a b c d">',
        "<limit>",
        "You have reached the clipping limit for this item",
        "<You have reached the clipping limit for this item> and more text",
        "generic List<Map<String>>",
    ],
)
def test_other_texts_are_left_alone(text: str) -> None:
    """Angle brackets alone make no message."""
    assert limits.split(text) == (text, False)
