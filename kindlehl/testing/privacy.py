"""Whether a sentence for people keeps what somebody reads to itself."""
# ruff: noqa: S101 -- a law that is broken is an assertion that fails


def check_quotes(sentence: str, text: str) -> None:
    """Sentences are shown, logged and sent in bug reports; what somebody reads is nobody else's business."""
    lines = [line.strip() for line in text.splitlines()]
    runs = {sentence[n : n + 16] for n in range(len(sentence) - 15)}
    quotes = any(len(line) >= 4 and line in sentence for line in lines) or any(run in text for run in runs)
    assert not quotes, f"a reason holds some of the source's text: {sentence!r}"
