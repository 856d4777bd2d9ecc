"""How hypothesis searches in the batteries: many small tests, on machines that may be busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("batteries", max_examples=40, deadline=None)
settings.load_profile("batteries")
