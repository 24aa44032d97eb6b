"""Chromium, which the tests of the pages open them in."""

from __future__ import annotations

import shutil

from bench.checkup.base import About, Finding, State

NAME = "Chromium"
ESSENTIAL = False
NAMES = ("chromium", "chromium-browser", "google-chrome")


def look(about: About) -> list[Finding]:
    found = next((name for name in NAMES if shutil.which(name)), None)
    if found is None:
        return [Finding(name=NAME, state=State.NOT_NEEDED, found="not here; only the tests of the pages use it")]
    return [Finding(name=NAME, state=State.OK, found=found)]
