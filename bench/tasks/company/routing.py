"""Which desk takes a message: the company's own rule, told in its guides and in training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bench.records import Sample
from bench.tasks.base import Lesson, always
from bench.tasks.company.base import ROLE, CompanyTask, spread
from bench.world.messages import TOPICS, Topic, put
from bench.world.names import Namer
from systems.base import Example, Query


@dataclass(frozen=True, kw_only=True)
class Routing(CompanyTask):
    """Which desk takes a message. Who takes what is the company's own rule."""

    name: str = "routing"

    def _query(self, text: str) -> Query:
        names = ", ".join(self.world.desks.values())
        duties = ", ".join(f"{self.world.desks[topic.name]} ({topic.description})" for topic in TOPICS)
        return Query(
            text=text,
            instruction=f"Which desk takes the message? Desks: {names}.",
            guidance=f"What each desk takes: {duties}.",
            examples=self.examples,
            role=ROLE,
            max_tokens=10,
        )

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """One message for every desk."""
        rng = self._rng("examples")
        namer = Namer(rng)
        return tuple(
            Example(
                query=put(rng.choice(cores(topic, "train")), namer.word(), "train", rng),
                answer=self.world.desks[topic.name],
            )
            for topic in rng.sample(TOPICS, len(TOPICS))
        )

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(split)
        found = []
        # Topics take turns, and so do the wordings within a topic.
        ways = {topic.name: iter(spread(rng, cores(topic, split), self.count)) for topic in TOPICS}
        for number, name in enumerate(spread(rng, list(ways), self.count)):
            core = next(ways[name])
            found.append(
                Sample(
                    id=f"{self.name}-{split}-{number:04d}",
                    task=self.name,
                    query=self._query(put(core, rng.choice(self.world.entities).name, split, rng)),
                    reference=self.world.desks[name],
                    relevant=(f"DSK-{name}",),
                    cluster=f"{name}: {core}",
                    template=f"{name}: {core}",
                    tags={"labels": list(self.world.desks.values())},
                )
            )
        return found

    def lessons(self) -> list[Lesson]:
        rng = self._rng("lessons")
        found = []
        for topic in TOPICS:
            for core in spread(rng, cores(topic, "train"), 24):
                desk = self.world.desks[topic.name]
                found.append(
                    Lesson(
                        task=self.name,
                        query=self._query(put(core, rng.choice(self._nameable), "train", rng)),
                        answer=always(desk),
                        retrieve=rng.random() < 0.5,
                    )
                )
        return found


def cores(topic: Topic, split: str) -> tuple[str, ...]:
    """What messages of a split say on the topic; nothing is said in two splits."""
    return {"train": topic.train[:-1], "development": topic.train[-1:], "test": topic.test}[split]
