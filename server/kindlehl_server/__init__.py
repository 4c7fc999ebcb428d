"""The personal sync server's package; the command line never imports it."""
