"""Processes that this one starts and that run the same program."""

from __future__ import annotations

import os
import sys


def environment(**further: str) -> dict[str, str]:
    """For a Python of its own that finds the modules this one finds; ``further`` variables are set besides."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path), **further}
