"""The server's commands; the command line finds them by entry point."""
