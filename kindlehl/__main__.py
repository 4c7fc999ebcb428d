"""The program `kindlehl`."""

import os
import sys

from kindlehl import __version__


def main() -> None:
    """Run the command line. What has to be fast is answered before anything is imported that takes time."""
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        try:
            sys.stdout.write(f"kindlehl {__version__}\n")
            sys.stdout.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush at exit
            if not isinstance(error, BrokenPipeError) and sys.stderr is not None:
                sys.stderr.write(f"kindlehl: standard output cannot be written: {error.strerror}.\n")
            sys.exit(1)
        return
    if sys.argv[1:2] == ["__complete"]:
        from kindlehl.cli.completing import answer

        answer.main(sys.argv[2:])
        return
    try:
        from kindlehl.cli.run import run

        code = run()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def server() -> None:
    """The program `kindlehl-server`: the commands of `kindlehl server`, which the server's package adds."""
    sys.argv[1:1] = ["server"]
    main()


if __name__ == "__main__":
    main()
