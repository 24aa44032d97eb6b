"""The fictional company: the same from the same seed, and consistent with itself."""

from __future__ import annotations

import random
import re

import pytest

from bench.world.company import found
from bench.world.documents import LEVELS, documents
from bench.world.messages import OPENERS, TOPICS, order
from bench.world.names import Namer
from bench.world.values import KINDS
from bench.world.wording import DEVELOPMENT, TEST, TRAIN, ask
from systems.base import UserError


def test_a_seed_founds_one_company_and_another_seed_another() -> None:
    found.cache_clear()
    first = found(7, 24)
    found.cache_clear()
    assert found(7, 24) == first
    other = found(8, 24)
    assert {e.name for e in first.entities}.isdisjoint(e.name for e in other.entities)
    assert [d.text for d in documents(first, 2)] == [d.text for d in documents(first, 2)]


def test_names_and_ids_are_used_once() -> None:
    company = found(7, 96)
    everyone = (*company.entities, *company.strangers)
    assert len({entity.id for entity in everyone}) == len({entity.name for entity in everyone}) == len(everyone)
    assert len(set(company.desks.values())) == len(TOPICS)


def test_every_attribute_is_either_stated_or_withheld() -> None:
    company = found(7, 48)
    stated = {(fact.entity.id, fact.attribute.name) for fact in company.facts}
    withheld = {(entity.id, attribute.name) for entity, attribute in company.withheld}
    assert stated.isdisjoint(withheld)
    assert stated | withheld == {(e.id, a.name) for e in company.entities for a in e.kind.attributes}
    assert 0.65 < len(stated) / len(stated | withheld) < 0.85


@pytest.mark.parametrize("level", sorted(LEVELS))
def test_documents_state_every_fact_and_know_no_stranger(level: int) -> None:
    company = found(7, 48)
    pages = {page.id: page for page in documents(company, level)}
    for fact in company.facts:
        assert fact.value.casefold() in pages[fact.entity.id].text.casefold()
        assert f"## {fact.attribute.section}" in pages[fact.entity.id].text
    everything = "\n".join(f"{page.title} {page.text}" for page in pages.values())
    assert not [s.name for s in company.strangers if re.search(rf"\b{s.name}\b", everything)]
    for topic in TOPICS:
        assert company.desks[topic.name] in pages[f"DSK-{topic.name}"].text


def test_harder_levels_are_harder() -> None:
    company = found(7, 48)
    texts = {level: "\n".join(page.text for page in documents(company, level)) for level in LEVELS}
    tables = {level: text.count("| --- |") for level, text in texts.items()}
    assert tables[1] == 0 < tables[2] < tables[3]
    assert "help desk" not in texts[1]
    with pytest.raises(UserError, match=r"suite\.level=4: must be one of 1, 2, 3"):
        documents(company, 4)


def test_wordings_of_the_splits_are_disjoint() -> None:
    frames = (*TRAIN, *DEVELOPMENT, *TEST)
    company = found(7, 12)
    fact = company.facts[0]
    assert len(set(frames)) == len(frames)
    asked = {ask(fact.entity, fact.attribute, frame, random.Random(1)).text for frame in frames}
    assert len(asked) == len(frames), "also once they are filled in"
    openers = [opener for split in OPENERS.values() for opener in split]
    assert len(set(openers)) == len(openers)
    for topic in TOPICS:
        assert not set(topic.train) & set(topic.test)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_values_are_found_again_in_a_sentence(kind: str) -> None:
    rng = random.Random(3)
    namer = Namer(rng)
    for _ in range(100):
        value = KINDS[kind].draw(rng, namer)
        if KINDS[kind].pattern is not None:
            assert KINDS[kind].find(f"It is {value}, as agreed.") == [value]


def test_an_order_holds_what_it_says_and_nothing_else() -> None:
    rng = random.Random(3)
    namer = Namer(rng)
    for split in OPENERS:
        missing = 0
        for _ in range(100):
            message = order(split, rng, namer)
            for kind, value in message.values.items():
                if value is None:
                    missing += 1
                    assert not KINDS[kind].find(message.text)
                else:
                    assert value in message.text
        assert 50 < missing < 150  # 500 parts, a fifth of them missing
