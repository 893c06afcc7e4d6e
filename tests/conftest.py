"""Chance is fixed: the same examples in every run. `pytest -m long` and a profile of your own search further."""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")
