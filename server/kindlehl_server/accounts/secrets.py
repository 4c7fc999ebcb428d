"""Secrets: made of the system's randomness, kept as digests, compared by the database."""

import hashlib
import secrets
from base64 import urlsafe_b64encode

PREFIX = "khl_"
"""Of every token, so that those who look for leaked secrets know one."""
CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that a code is no word; RFC 8628, section 6.1."""
CODE_LENGTH = 8


def token() -> str:
    """256 random bits."""
    return PREFIX + urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def code() -> str:
    """Something to read on one device and to type on another: `BDFG-HJKL`."""
    letters = "".join(secrets.choice(CONSONANTS) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def password() -> str:
    """Something to sign in with until its owner chooses another: 69 bits, `bdfg-hjkl-mnpq-rstv`."""
    letters = "".join(secrets.choice(CONSONANTS.lower()) for _ in range(16))
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def typed(text: str) -> str:
    """A code as it was made, however it was typed."""
    letters = "".join(letter for letter in text.upper() if letter.isalnum())
    return f"{letters[:4]}-{letters[4:]}"


def digest(secret: str) -> str:
    """As it is kept. What is random needs neither salt nor slowness."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
