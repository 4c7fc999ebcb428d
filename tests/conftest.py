"""What every test may ask for."""

import os

from hypothesis import settings

pytest_plugins = ["support.databases"]

settings.register_profile("ci", max_examples=200, deadline=None)
settings.register_profile("wheel", max_examples=30, deadline=None)
settings.register_profile("deep", max_examples=10_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
