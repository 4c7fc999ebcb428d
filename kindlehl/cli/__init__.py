"""The command line: a Typer app, one module a group of commands."""
