"""A library behind a URL, and how this device is let in there."""
