"""The importers that come with kindlehl, found through the entry points `kindlehl.importers`."""
