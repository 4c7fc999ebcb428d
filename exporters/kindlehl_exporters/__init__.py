"""The exporters that come with kindlehl, found through the entry points `kindlehl.exporters`."""
