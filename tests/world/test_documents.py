"""What a level adds beside every page: superseded versions, siblings, and pages that name one another."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from bench.tasks.company.base import find_passage, states
from bench.world.company import Company, every_other, found
from bench.world.documents import LEVELS, RELATED, documents, owner, superseding, title
from bench.world.schema import ENTITY_KINDS, LINK_KINDS
from systems.base import Document
from systems.knowledge.chunking import ByHeadings


def company(links: bool = False) -> Company:
    return found(7, 48, links=links)


@cache
def pages(level: int, links: bool = False) -> dict[str, Document]:
    return {page.id: page for page in documents(company(links), level)}


def stated(text: str) -> list[str]:
    """Every amount, date, code, ... of a page, in the order of the page; names aside."""
    return re.findall(r"\d[\d-]* ?[a-zA-Z]*(?: \d{4})?", text.partition(RELATED)[0])


@pytest.mark.parametrize(
    ("page", "in_force", "entity"),
    [
        ("PLN-204", "PLN-204", "PLN-204"),
        ("PLN-204@3", "PLN-204", "PLN-204"),
        ("PLN-204@3.1", "PLN-204", "PLN-204"),
        ("PLN-204b", "PLN-204b", "PLN-204"),
    ],
)
def test_the_id_of_a_page_says_whose_it_is(page: str, in_force: str, entity: str) -> None:
    assert (superseding(page), owner(page)) == (in_force, entity)


@pytest.mark.parametrize(("level", "copies", "siblings"), [(1, 0, 0), (2, 1, 1), (3, 2, 3)])
def test_every_entity_has_the_pages_of_its_level(level: int, copies: int, siblings: int) -> None:
    expected = set()
    for entity in (fact.entity for fact in company().facts):
        earlier = [f"{entity.id}@{version}" for version in range(1, entity.version)]
        expected |= {entity.id, *(f"{entity.id}{letter}" for letter in "abc"[:siblings])}
        expected |= {name + end for name in earlier for end in ("", ".1")[:copies]}
    written = documents(company(), level)
    assert len(written) == len(pages(level))
    assert {page.id for page in written if page.metadata["type"] != "desk"} == expected


@pytest.mark.parametrize("level", [2, 3])
def test_superseded_versions_are_of_the_same_name_in_the_same_words_with_other_values(level: int) -> None:
    same = compared = 0
    for entity in {fact.entity.id: fact.entity for fact in company().facts}.values():
        newer = pages(level)[entity.id]
        for version in reversed(range(1, entity.version)):
            page = pages(level)[f"{entity.id}@{version}"]
            assert page.title == title(entity).replace(f"version {entity.version})", f"version {version})")
            assert page.metadata == {**newer.metadata, "version": version}
            assert re.findall("## .*", page.text) == re.findall("## .*", newer.text)
            before, after = stated(page.text), stated(newer.text)
            assert len(before) == len(after)
            same += sum(one == other for one, other in zip(before, after, strict=True))
            compared += len(before)
            if level == 3:
                assert pages(level)[f"{entity.id}@{version}.1"].text == page.text
            newer = page
    # Half of the values are drawn anew from version to version; of those a few come up as they were.
    assert 0.45 < same / compared < 0.6


def test_siblings_have_names_of_their_own_and_other_values() -> None:
    taken = {entity.name for entity in (*company().entities, *company().strangers)}
    same = compared = 0
    for entity in {fact.entity.id: fact.entity for fact in company().facts}.values():
        own = pages(3)[entity.id]
        for letter in "abc":
            page = pages(3)[f"{entity.id}{letter}"]
            name = page.title.partition(" (")[0]
            assert name.split()[0] == entity.name.split()[0]
            assert len(name.split()) == max(2, len(entity.name.split()) + (entity.kind.name != "person"))
            assert page.metadata["roles"] == own.metadata["roles"], "not to be read by more people than the page"
            assert name not in taken
            taken.add(name)
            pairs = list(zip(stated(page.text), stated(own.text), strict=True))
            same += sum(one == other for one, other in pairs)
            compared += len(pairs)
    assert same / compared < 0.05


@pytest.mark.parametrize("level", [2, 3])
def test_a_fact_stands_in_no_passage_but_that_of_the_page_in_force(level: int) -> None:
    """Superseded pages may state the same value: they are still not where it is to be found."""
    beside = [chunk for page in pages(level).values() if "@" in page.id for chunk in ByHeadings().chunk(page)]
    repeated = [fact for fact in company().facts if any(states(fact, chunk.text) for chunk in beside[:200])]
    assert repeated
    assert all(find_passage(fact, beside) is None for fact in repeated)


def test_every_kind_points_to_one_other() -> None:
    kinds = {kind.name for kind in ENTITY_KINDS}
    assert Counter(link.source for link in LINK_KINDS) == Counter(kinds)
    assert all(link.target in kinds - {link.source} for link in LINK_KINDS)
    pairs = {(link.source, link.target) for link in LINK_KINDS}
    assert not pairs & {(target, source) for source, target in pairs}, "no page names the one that names it"


def test_every_page_names_one_other_of_its_half() -> None:
    linked = company(links=True)
    assert (linked.entities, linked.facts, linked.strangers) == (
        (company().entities, company().facts, company().strangers)
    )
    assert company().links == ()
    with_pages = {fact.entity.id for fact in linked.facts}
    assert sorted(link.source.id for link in linked.links) == sorted(with_pages)
    half = every_other(linked.entities)
    assert len(half) == 24
    for link in linked.links:
        assert (link.source.kind.name, link.target.kind.name) == (link.kind.source, link.kind.target)
        assert link.target.id in with_pages
        assert (link.source.id in half) == (link.target.id in half)


@pytest.mark.parametrize("level", sorted(LEVELS))
def test_a_link_adds_one_section_to_the_page_in_force_and_nothing_else(level: int) -> None:
    links = {link.source.id: link for link in company(links=True).links}
    assert pages(level, links=True).keys() == pages(level).keys()
    for name, page in pages(level, links=True).items():
        plain, section, relation = page.text.partition(f"\n\n## {RELATED}\n\n")
        assert plain == pages(level)[name].text
        assert bool(section) == (name in links)
        if section:
            link = links[name]
            assert relation in {form.format(e=link.source.name, t=link.target.name) for form in link.kind.states}
