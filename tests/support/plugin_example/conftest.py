"""Plugins of their own lie here: `tests/contract/test_plugin_example.py` installs them, then runs their test."""

collect_ignore_glob = ["*"]
