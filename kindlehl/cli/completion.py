"""The command that prints what a shell needs to complete command lines."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

SHELLS = {"bash": "kindlehl.bash", "zsh": "kindlehl.zsh", "fish": "kindlehl.fish", "powershell": "kindlehl.ps1"}


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"], typer.Argument(metavar="SHELL", help="Which shell.")
    ],
) -> None:
    """Print the completion for a shell: commands, options, and the titles, tags and ids of your library.

    Each script says in its first lines where to put it. To try it at once: source <(kindlehl completion bash)

    Example: kindlehl completion bash
    """
    script = Path(__file__).with_name("completing") / "scripts" / SHELLS[shell]
    sys.stdout.write(script.read_text("utf-8"))
