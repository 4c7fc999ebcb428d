"""Sync: two libraries become equal, since each is a set of facts and both keep their union."""
