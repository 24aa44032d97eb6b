"""What the pocket model reads: conversations over passages of other worlds, made endlessly from a seed.

The skills are those of a small instruction-tuned model: copy, read a value out of the right passage and
cite it, say when it is not there, fill in JSON under keys named in the prompt, sort messages by a guide.
Facts change with every world, so none can be learned by heart; the company that the suites are about,
its schemas and its desks are not among them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from bench.pocket.skills import copying, facts, locating, objects, recalling, routing
from bench.pocket.skills.base import Conversation

Skill = Callable[[random.Random], Conversation]
Mixture = tuple[tuple[float, Skill], ...]
COPYING: Mixture = (
    (0.65, copying.copying_words),
    (0.15, copying.copying),
    (0.20, recalling.recalling),
)
"""First phase: looking back at all."""
RECALLING: Mixture = (
    (0.10, copying.copying_words),
    (0.15, copying.copying),
    (0.50, recalling.recalling),
    (0.10, lambda rng: locating.locating(rng, 2, rng.randint(4, 8))),
    (0.15, lambda rng: facts.facts(rng, rng.randint(1, 2), rng.randint(3, 6), alike=True)),
)
"""Second phase: looking up by a name."""
MAIN: Mixture = (
    (0.03, copying.copying),
    (0.04, recalling.recalling),
    (0.04, lambda rng: locating.locating(rng, rng.randint(2, 5), rng.randint(5, 9))),
    (0.04, lambda rng: facts.facts(rng, 1, rng.randint(2, 4))),
    (0.05, lambda rng: facts.facts(rng, 2, rng.randint(3, 6))),
    (0.21, lambda rng: facts.facts(rng, rng.randint(3, 5), rng.randint(5, 9))),
    (0.22, lambda rng: facts.facts(rng, rng.randint(2, 4), rng.randint(5, 9), alike=True)),
    (0.03, lambda rng: facts.facts(rng, rng.randint(6, 10), rng.randint(5, 9))),
    (0.07, facts.shown_then_asked),
    (0.02, facts.unaided),
    (0.12, lambda rng: objects.over_passages(rng, rng.randint(1, 5))),
    (0.07, objects.from_text),
    (0.06, routing.routing),
)
"""Last phase: all skills; shares are of conversations, not of tokens."""


def conversations(seed: str, mixture: Mixture) -> Iterator[Conversation]:
    """Conversations without end. The same seed gives the same ones."""
    rng = random.Random(seed)
    weights = [share for share, _ in mixture]
    skills = [skill for _, skill in mixture]
    while True:
        yield rng.choices(skills, weights)[0](rng)
