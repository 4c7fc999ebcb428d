"""The sentence that a Kindle writes instead of a text when the publisher's clipping limit is reached."""

import re

_KNOWN = (  # how the sentences begin; R: seen in a real file, F: in test data, C: in another program's code
    "You have reached the clipping limit",  # en, F
    "You have exceeded your clipping",  # en, C
    "Sie haben die maximale Anzahl an Clipboard-Einträgen",  # de, R
    "Je hebt de knipsellimiet bereikt",  # nl, R
    "このアイテムのクリップの上限に達しました",  # ja, R
    "您已达到本内容的剪贴上限",  # zh, C
    "Você alcançou o limite de recortes",  # pt, C
    "이 항목의 클리핑 한도",  # ko, C
)
_MESSAGE = re.compile(rf"<\s*(?:{'|'.join(map(re.escape, _KNOWN))})[^<>]{{0,110}}>")

# The sentence is not known in Spanish, French, Italian and Russian. A text that is nothing but one sentence in angle
# brackets about a limit, four words or more without a sign that code would have, cannot well be anything else.
_UNKNOWN = re.compile(r"<(?=[^<>]*(?:l[ií]mit|л[ие]мит|предел))\w[^<>=/:\"{}\n]{9,108}>", re.IGNORECASE)
_WORDS = 4


def split(text: str) -> tuple[str, bool]:
    """The text, itself without white space around it, without the message at its end; and whether there was one."""
    if not text.endswith(">"):
        return text, False
    start = text.rfind("<")
    if start >= 0 and _MESSAGE.fullmatch(text, start):
        return text[:start].rstrip(), True
    if start == 0 and _UNKNOWN.fullmatch(text) and len(text.split()) >= _WORDS:
        return "", True
    return text, False
