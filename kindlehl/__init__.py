"""kindlehl: what readers mark in books, in a library of their own."""

__version__ = "0.1.0"
