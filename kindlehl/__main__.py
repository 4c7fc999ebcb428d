"""The program `kindlehl`."""

import sys

from kindlehl import __version__


def main() -> None:
    """Run the command line. `--version` is answered before anything is imported that takes time."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"kindlehl {__version__}\n")
        return
    from kindlehl.cli.run import run

    sys.exit(run())


if __name__ == "__main__":
    main()
