"""What a library is: a set of facts, and a fold over it. Plain Python, no I/O, no third-party import."""
