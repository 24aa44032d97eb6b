"""Counts who is inside a place at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass
class Crowd:
    """Visited by threads; ``most`` were inside at once, and ``inside`` still are."""

    inside: int = 0
    most: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def visit(self, seconds: float) -> None:
        """Come in, stay, go."""
        with self._guard:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(seconds)
        with self._guard:
            self.inside -= 1
