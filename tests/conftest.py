"""How hypothesis searches: many small tests, on machines that may be busy, the same ones on every run."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("neuralframe", max_examples=40, deadline=None, derandomize=True)
settings.load_profile("neuralframe")
