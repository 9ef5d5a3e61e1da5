"""Settings of every test: property tests draw the same examples each time, and none of them is judged by the clock."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", parent=settings.get_profile("steady"), derandomize=False, max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# A shell has what it starts in the background ignore Ctrl-C, and so does what that starts: then no test could press it.
signal.signal(signal.SIGINT, signal.default_int_handler)
