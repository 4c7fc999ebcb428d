"""Words as shells write and read them: whatever a title holds, what is inserted is one word, and only a word."""

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_PLAIN = "._-/+,%@"


class Last:
    """The word in which the cursor is, as bash completes it: it replaces what follows the last quote or break."""

    # No dataclass and no NamedTuple: to load what makes them takes as long as a whole completion.
    __slots__ = ("closed", "kept", "quote", "typed")

    def __init__(self, typed: str = "", quote: str = "") -> None:
        self.typed = typed
        """The word so far, without its quotes."""
        self.kept = typed
        """The beginning of it that is not replaced."""
        self.quote = quote
        """The quote after which the replacement stands: empty, ', " or $'."""
        self.closed = False
        """Whether that quote was closed before the cursor, so that the replacement has to close it too."""


def begins(value: str, typed: str) -> bool:
    """Whether a word begins as it was typed, capitals aside."""
    return value[: len(typed)].casefold() == typed.casefold()


def shown(value: str) -> str:
    """A word without the characters by which it could command a terminal or end a line."""
    return "".join(c if c.isprintable() else "\ufffd" for c in value)


def bare(word: str) -> str:
    """A word of fish as far as it was typed, without its quotes; fish itself does the exact comparison."""
    return word.replace("\\", "").lstrip("'\"")


def bash(value: str, last: Last) -> str:
    """What bash has to insert to get this."""
    end = last.quote[-1:]
    written = "".join(_in_bash(c, last.quote, end) for c in value)
    return written + (end if last.closed else "")


def _in_bash(c: str, quote: str, end: str) -> str:
    if not c.isprintable():
        code = "".join(f"\\x{byte:02x}" for byte in c.encode("utf-8", "surrogateescape"))
        return code if quote == "$'" else f"{end}$'{code}'{quote}"
    if quote == "$'":
        return f"\\{c}" if c in "\\'" else c
    if quote == "'":
        return "'\\''" if c == "'" else c
    if quote == '"':
        return '"\\!"' if c == "!" else f"\\{c}" if c in '\\$`"' else c
    return c if c.isalnum() or c in _PLAIN or ord(c) > 127 else f"\\{c}"


def powershell(value: str) -> str:
    """A printable word as PowerShell writes it; it takes typographic quotes for quotes."""
    if value and all(c.isalnum() or c in "._-/+:=" for c in value):
        return value
    doubled = "".join(c * 2 if c in "'\u2018\u2019\u201a\u201b" else c for c in value)
    return f"'{doubled}'"


def bash_words(line: str, breaks: str) -> tuple[list[str], Last]:
    """The words of a line up to the cursor, but for the last, and the last of them, which may be empty."""
    words: list[str] = []
    last, inside, begun, n = Last(), "", False, 0  # inside: the quote in which we are
    while n < len(line):
        c = line[n]
        if inside and c == inside[-1]:
            last.closed, inside = True, ""
        elif c == "\\" and inside != "'" and n + 1 < len(line):
            text, n = _escaped(line, n, inside)
            last.typed += text
            begun = True
        elif inside:
            last.typed += c
        elif c in " \t\n":
            if begun:
                words.append(last.typed)
            last, begun = Last(), False
        elif c in "'\"" or line.startswith("$'", n):
            inside, begun = "$'" if c == "$" else c, True
            n += len(inside) - 1
            last = Last(last.typed, inside)
        else:
            begun = True
            last.typed += c
            if c in breaks:
                last = Last(last.typed)
        n += 1
    return words, last


def _escaped(line: str, n: int, inside: str) -> tuple[str, int]:
    """What a backslash stands for, and where it ends."""
    c = line[n + 1]
    if not inside:
        return c, n + 1
    if inside == '"':
        return (c if c in '\\$`"\n' else f"\\{c}"), n + 1
    if c != "x":
        return _ESCAPES.get(c, c), n + 1
    end, data = n, bytearray()
    while line[end : end + 2] == "\\x" and len(line) >= end + 4:  # several bytes may be one character
        data.append(int(line[end + 2 : end + 4], 16))
        end += 4
    return data.decode("utf-8", "surrogateescape"), end - 1
