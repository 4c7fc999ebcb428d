"""What became of facts on a disk that does not keep them: found before any of them leaves, shown as long as they can be
read, and whole again as soon as somebody sends them."""

from kindlehl.ports import Library, Rotten


def mend(library: Library) -> Rotten:
    """Look at every fact. What is damaged travels no more, and is fetched by the next round from whoever has it whole.
    Returns how many were found."""
    with library.transaction():
        found = library.facts.set_aside_rotten()
        if found.lost:
            library.shelf.rebuild()
            library.peers.renew()
    return found


def keep(library: Library, withheld: int = 0) -> int:
    """Take what is damaged and can be read for whole as it reads, where nobody had it whole who was asked. Returns how
    many facts that are."""
    with library.transaction():
        kept = library.facts.add_raw(library.facts.damaged(withheld))
        library.shelf.settle()
    return kept
