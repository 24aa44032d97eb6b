"""Questions that have nothing to do with the company: the right answer is that it is not known here."""

from __future__ import annotations

from dataclasses import dataclass

from bench.records import Sample
from bench.tasks.base import Lesson, always
from bench.tasks.company.base import ROLE, spread
from bench.tasks.company.facts import FACT_INSTRUCTION, Facts
from bench.world.wording import DONT_KNOW
from systems.base import Query

THINGS = {
    "train": ("a violin", "a goat", "a lighthouse", "a volcano", "a comet", "a cactus", "a canoe", "a kite"),
    "development": ("a bicycle", "a penguin", "a glacier"),
    "test": ("a harp", "a camel", "a windmill", "a geyser", "a meteor", "a fern", "a sledge", "a balloon", "a beaver"),
}
QUESTIONS = {
    "train": (
        "How old can {t} get?",
        "Who invented {t}?",
        "What does {t} weigh?",
        "Where in the world would I see {t}?",
        "What colour is {t}?",
        "Write me a poem on {t}.",
    ),
    "development": ("How do I draw {t}?", "Is {t} dangerous?"),
    "test": (
        "How tall is {t}?",
        "What is the history of {t}?",
        "Who first described {t}?",
        "In which country is there {t}?",
        "What sound does {t} make?",
        "Tell me a joke about {t}.",
        "How does {t} work?",
        "What is the price of {t} in a museum shop?",
    ),
}


@dataclass(frozen=True, kw_only=True)
class OutOfScope(Facts):
    """General questions, put to the company's assistant."""

    name: str = "out_of_scope"

    def _asked(self, split: str, count: int) -> list[tuple[str, str]]:
        """Questions with their templates."""
        rng = self._rng(f"asked-{split}")
        pairs = [(frame, thing) for frame in QUESTIONS[split] for thing in THINGS[split]]
        return [(frame.format(t=thing), f"{frame} {thing}") for frame, thing in spread(rng, pairs, count)]

    def _general(self, text: str) -> Query:
        return Query(text=text, instruction=FACT_INSTRUCTION, examples=self.examples, role=ROLE, max_tokens=24)

    def samples(self, split: str) -> list[Sample]:
        return [
            Sample(
                id=f"{self.name}-{split}-{number:04d}",
                task=self.name,
                query=self._general(text),
                reference=None,
                cluster=template,
                template=template,
            )
            for number, (text, template) in enumerate(self._asked(split, self.count))
        ]

    def lessons(self) -> list[Lesson]:
        return [
            Lesson(task=self.name, query=self._general(text), answer=always(DONT_KNOW))
            for text, _ in self._asked("train", 48)
        ]
