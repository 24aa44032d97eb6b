"""Documents of a company, written from its facts: one per entity, in sections, some as tables."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase

from bench.world.company import Company, Entity, Fact, Link
from bench.world.messages import TOPICS
from bench.world.names import Namer
from bench.world.values import KINDS
from systems.base import Document, UserError

PLAIN = (
    "The {a} of {e} is {v}.",
    "The {a} for {e} is {v}.",
    "For {e}, the {a} is {v}.",
    "{e} has the {a} {v}.",
    "The {a} of {e} was set to {v}.",
    "In the case of {e}, the {a} is {v}.",
)
"""Whose it is, then what it is, then the value: the easy way to write a fact down."""
TANGLED = (
    "The {a} is {v}.",
    "Its {a} is {v}.",
    "{v} is the {a} of {e}.",
    "{e} is listed with {v} as its {a}.",
)
"""The entity stands in the title only, or the value comes before what it is."""
FILLERS = (
    "This page is kept up to date by its owner.",
    "Questions go to the internal help desk.",
    "Earlier editions of this page are void.",
    "Please report mistakes on this page.",
    "Changes need the usual sign-off.",
    "Printed copies are not controlled.",
)


def statement(fact: Fact, rng: random.Random, tangled: float = 0.0) -> str:
    """One sentence that states the fact; with the chance ``tangled`` in a harder wording."""
    text = rng.choice(TANGLED if rng.random() < tangled else PLAIN).format(
        a=rng.choice(fact.attribute.phrases), e=fact.entity.name, v=fact.value
    )
    return text[0].upper() + text[1:]


@dataclass(frozen=True, kw_only=True)
class Style:
    """How hard documents are to read: chances of each hardness, per fact or section."""

    tangled: float = 0.0
    """A fact in a harder wording."""
    table: float = 0.0
    """A section as a two-column table."""
    filler: float = 0.0
    """A sentence in a section that says nothing."""
    superseded: int = 0
    """Copies of every earlier version of a page that are kept; from version to version half of the values differ."""
    siblings: int = 0
    """Near-duplicates of every page: the same words about an entity of a like name, with other values."""


LEVELS = {
    1: Style(),
    2: Style(tangled=0.3, table=0.15, filler=0.3, superseded=1, siblings=1),
    3: Style(tangled=0.5, table=0.3, filler=0.6, superseded=2, siblings=3),
}


def section(facts: Sequence[Fact], rng: random.Random, style: Style) -> str:
    """A section's text: sentences, or a table."""
    facts = rng.sample(facts, len(facts))
    if rng.random() < style.table:
        rows = "\n".join(f"| {rng.choice(fact.attribute.phrases)} | {fact.value} |" for fact in facts)
        return f"| item | value |\n| --- | --- |\n{rows}"
    sentences = [statement(fact, rng, style.tangled) for fact in facts]
    if rng.random() < style.filler:
        sentences.insert(rng.randint(0, len(sentences)), rng.choice(FILLERS))
    return " ".join(sentences)


def title(entity: Entity) -> str:
    """What a document is called; its id and version are part of it, as on a real intranet page."""
    return f"{entity.name} ({entity.id}, version {entity.version})"


def document(
    entity: Entity, facts: Iterable[Fact], rng: random.Random, style: Style, link: Link | None = None
) -> Document:
    """The document of one entity; a link is told in a section of its own."""
    by_section: dict[str, list[Fact]] = {}
    for fact in facts:
        by_section.setdefault(fact.attribute.section, []).append(fact)
    parts = [f"## {name}\n\n{section(members, rng, style)}" for name, members in by_section.items()]
    if link is not None:
        parts.append(f"## {RELATED}\n\n{relation(link, rng)}")
    metadata = {"type": entity.kind.name, "version": entity.version, "roles": list(entity.kind.roles)}
    return Document(id=entity.id, title=title(entity), text="\n\n".join(parts), metadata=metadata)


RELATED = "Related pages"


def relation(link: Link, rng: random.Random) -> str:
    """One sentence that states a link."""
    return rng.choice(link.kind.states).format(e=link.source.name, t=link.target.name)


DESK_RULES = (
    "The {d} desk takes messages on {t}.",
    "Messages on {t} go to the {d} desk.",
    "{d} handles {t}.",
    "For {t} the {d} desk is in charge.",
)


def desk_rule(desk: str, description: str, rng: random.Random) -> str:
    """One sentence that says which messages a desk takes."""
    return rng.choice(DESK_RULES).format(d=desk, t=description)


def documents(company: Company, level: int = 1) -> list[Document]:
    """All documents of the company, at a level of difficulty. An entity of which nothing is stated has none."""
    if level not in LEVELS:
        raise UserError(f"suite.level={level}: must be one of {', '.join(map(str, LEVELS))}")
    style = LEVELS[level]
    facts: dict[str, list[Fact]] = {}
    for fact in company.facts:
        facts.setdefault(fact.entity.id, []).append(fact)
    links = {link.source.id: link for link in company.links}

    def drawing(name: str) -> random.Random:
        """Each page is worded for itself: what changes on one leaves the others as they were."""
        return random.Random(f"documents-{company.seed}-{name}")

    found = []
    for entity in company.entities:
        if entity.id not in facts:
            continue
        found.append(document(entity, facts[entity.id], drawing(entity.id), style, links.get(entity.id)))
        found += confusable(entity, facts[entity.id], style, drawing)
    for topic in TOPICS:
        desk = company.desks[topic.name]
        text = desk_rule(desk, topic.description, drawing(topic.name))
        found.append(Document(id=f"DSK-{topic.name}", title=f"{desk} desk", text=text, metadata={"type": "desk"}))
    return found


def confusable(
    entity: Entity, facts: Sequence[Fact], style: Style, drawing: Callable[[str], random.Random]
) -> Iterator[Document]:
    """Pages in the same words as an entity's: its superseded versions, ``ID@VERSION``, and its siblings'."""
    rng = drawing(f"beside {entity.id}")
    namer = Namer(rng)

    def other(fact: Fact, of: Entity) -> Fact:
        return Fact(of, fact.attribute, KINDS[fact.attribute.kind].draw(rng, namer))

    values = list(facts)
    for version in reversed(range(1, entity.version) if style.superseded else ()):
        earlier = replace(entity, version=version)
        values = [other(fact, earlier) if rng.random() < 0.5 else replace(fact, entity=earlier) for fact in values]
        page = document(earlier, values, drawing(entity.id), style)
        yield replace(page, id=f"{entity.id}@{version}")
        for number in range(1, style.superseded):
            yield replace(page, id=f"{entity.id}@{version}.{number}")
    for number in range(style.siblings):
        word = namer.word()
        first, *rest = entity.name.split()
        # A person has another last name; anything else a second word in its name.
        name = f"{first} {word}" if entity.kind.name == "person" else " ".join((first, word, *rest))
        sibling = Entity(entity.id + ascii_lowercase[number], name, entity.kind, rng.randint(1, 9))
        yield document(sibling, [other(fact, sibling) for fact in facts], drawing(entity.id), style)


def superseding(page: str) -> str:
    """Id of the page that is in force of the same entity: its own, unless the page is superseded."""
    return page.partition("@")[0]


def owner(page: str) -> str:
    """Id of the entity beside whose page this one stands."""
    return superseding(page).rstrip(ascii_lowercase)
