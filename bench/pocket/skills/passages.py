"""Passages of made-up worlds as a retriever would return them, and questions on them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bench.world.company import Company, Entity, Fact, found
from bench.world.documents import LEVELS, section, title
from bench.world.schema import Attribute
from bench.world.wording import FRAMES, ask
from systems.base import Chunk

ALL_FRAMES = tuple(frame for frames in FRAMES.values() for frame in frames)


@dataclass(frozen=True)
class Page:
    """A passage and the facts it states."""

    entity: Entity
    facts: tuple[Fact, ...]
    chunk: Chunk


class Pages:
    """Passages of one world, and which of them a retriever would confuse."""

    def __init__(self, company: Company, rng: random.Random) -> None:
        self.company = company
        self.rng = rng
        by_section: dict[tuple[str, str], list[Fact]] = {}
        for fact in company.facts:
            by_section.setdefault((fact.entity.id, fact.attribute.section), []).append(fact)
        self.pages = [self._page(facts) for facts in by_section.values()]
        self.stated = {(fact.entity.id, fact.attribute.name) for fact in company.facts}

    def _page(self, facts: list[Fact]) -> Page:
        entity = facts[0].entity
        text = section(facts, self.rng, LEVELS[2 if self.rng.random() < 0.15 else 1])
        chunk = Chunk(id="", title=f"{title(entity)} - {facts[0].attribute.section}", text=text)
        return Page(entity, tuple(facts), chunk)

    def draw(self, count: int) -> list[Page]:
        """``count`` passages as a retriever would return them for a question on the first: look-alikes."""
        first = self.rng.choice(self.pages)
        alike = [
            page
            for page in self.pages
            if page is not first and (page.entity is first.entity or self._same_section(page, first))
        ]
        others = [page for page in self.pages if page is not first and page not in alike]
        self.rng.shuffle(alike)
        self.rng.shuffle(others)
        hard = min(len(alike), sum(self.rng.random() < 0.8 for _ in range(count - 1)))
        chosen = [first, *alike[:hard], *others[: count - 1 - hard]]
        self.rng.shuffle(chosen)
        return chosen

    def draw_alike(self, count: int) -> list[Page]:
        """At most ``count`` passages that say the same of several entities: the name alone tells them apart."""
        while True:
            first = self.rng.choice(self.pages)
            alike = [page for page in self.pages if page.entity is not first.entity and self._same_section(page, first)]
            if alike:
                chosen = [first, *self.rng.sample(alike, min(len(alike), count - 1))]
                self.rng.shuffle(chosen)
                return chosen

    @staticmethod
    def _same_section(one: Page, other: Page) -> bool:
        return (
            one.entity.kind is other.entity.kind and one.facts[0].attribute.section == other.facts[0].attribute.section
        )

    def question(self, shown: list[Page], unanswerable: float) -> tuple[str, int, Page, str]:
        """Question, passage number (0: not there), page and value for the shown passages."""
        if self.rng.random() >= unanswerable:
            number = self.rng.randrange(len(shown))
            fact = self.rng.choice(shown[number].facts)
            return self._ask(fact.entity, fact.attribute), number + 1, shown[number], fact.value
        visible = {(fact.entity.id, fact.attribute.name) for page in shown for fact in page.facts}
        # The hardest: the page is there and says nothing of it, and another page says it of its own entity.
        beside = [
            (page.entity, fact.attribute)
            for page in shown
            for other in shown
            if self._same_section(page, other)
            for fact in other.facts
            if (page.entity.id, fact.attribute.name) not in visible
        ]
        if beside and self.rng.random() < 0.4:
            entity, attribute = self.rng.choice(beside)
            return self._ask(entity, attribute), 0, shown[0], ""
        while True:
            page = self.rng.choice(shown)
            attribute = self.rng.choice(page.entity.kind.attributes)
            entity = page.entity
            if self.rng.random() < 0.4:  # the attribute stands there, but of another entity
                candidates = (*self.company.entities, *self.company.strangers)
                entity = self.rng.choice([other for other in candidates if other.kind is page.entity.kind])
            if (entity.id, attribute.name) not in visible:
                return self._ask(entity, attribute), 0, page, ""

    def _ask(self, entity: Entity, attribute: Attribute) -> str:
        return ask(entity, attribute, self.rng.choice(ALL_FRAMES), self.rng).text


def passages(count: int, rng: random.Random, alike: bool = False) -> tuple[Pages, list[Page]]:
    """A new world's pages, and ``count`` of them; ``alike``: which differ in the entity alone."""
    pages = Pages(found(rng.getrandbits(48), entities=rng.choice((12, 18, 24))), rng)
    return pages, pages.draw_alike(count) if alike else pages.draw(count)
