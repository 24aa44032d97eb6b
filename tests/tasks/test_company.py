"""The company's tasks: disjoint splits, even wordings, parity, and references that are what they claim to be."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from typing import Any

import jsonschema
import pytest

from bench.metrics.text import contains, normalise
from bench.records import Sample
from bench.tasks.base import Lesson
from bench.tasks.company.base import find_passage, states
from bench.tasks.company.extraction import Extraction
from bench.tasks.company.facts import Facts
from bench.tasks.company.review import Review
from bench.tasks.company.routing import Routing, cores
from bench.tasks.company.summaries import Summaries
from bench.tasks.company.unanswerable import Unanswerable
from bench.world.company import Company, found
from bench.world.documents import LEVELS, documents
from bench.world.messages import TOPICS
from bench.world.schema import ENTITY_KINDS
from systems.base import Chunk, Document, UserError
from systems.knowledge.chunking import ByHeadings
from systems.prompts import PromptBuilder
from tests.tiny import tokenizer

KINDS: tuple[type[Any], ...] = (Facts, Unanswerable, Routing, Extraction, Review)
SIZES = [(100, 48), (400, 96)]


@cache
def task(kind: type[Any], count: int = 100, entities: int = 48, parity: bool = True, seed: int = 2026) -> Any:
    return kind(metrics=(), world=found(seed, entities), count=count, parity=parity)


@cache
def samples(kind: type[Any], split: str, count: int = 100, entities: int = 48, parity: bool = True) -> list[Sample]:
    return list(task(kind, count, entities, parity).samples(split))


@cache
def lessons(kind: type[Any], parity: bool = True, entities: int = 48) -> list[Lesson]:
    return list(task(kind, 100, entities, parity).lessons())


def pages(world: Company, level: int = 1) -> dict[str, Document]:
    return {page.id: page for page in documents(world, level)}


def told(lesson: Lesson) -> str:
    """All that a lesson teaches, closed book."""
    return f"{lesson.query.text} {lesson.answer(())}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_makes_a_task_and_another_seed_another(kind: type[Any]) -> None:
    first = kind(metrics=(), world=found(2026, 48))
    assert list(first.samples("test")) == samples(kind, "test")
    assert [told(lesson) for lesson in first.lessons()] == [told(lesson) for lesson in lessons(kind)]
    other = kind(metrics=(), world=found(2027, 48))
    assert {s.query.text for s in other.samples("test")}.isdisjoint(s.query.text for s in samples(kind, "test"))


@pytest.mark.parametrize(("count", "entities"), SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_wording_takes_more_than_a_twentieth(kind: type[Any], count: int, entities: int) -> None:
    found_samples = samples(kind, "test", count, entities)
    assert len(found_samples) == len({sample.id for sample in found_samples}) == count
    assert all(sample.template for sample in found_samples)
    [(template, most)] = Counter(sample.template for sample in found_samples).most_common(1)
    assert most <= count * 0.05, template


@pytest.mark.parametrize("kind", [Facts, Unanswerable, Review, Routing])
def test_the_splits_are_worded_apart(kind: type[Any]) -> None:
    by_split = {split: {sample.template for sample in samples(kind, split)} for split in ("development", "test")}
    assert by_split["development"].isdisjoint(by_split["test"])


def test_what_is_said_on_a_topic_is_said_in_one_split() -> None:
    for topic in TOPICS:
        said = [core for split in ("train", "development", "test") for core in cores(topic, split)]
        assert len(said) == len(set(said)) == len(topic.train) + len(topic.test)


@pytest.mark.parametrize("parity", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_no_evaluated_question_stands_in_lessons_or_examples(kind: type[Any], parity: bool) -> None:
    learned = {normalise(lesson.query.text) for other in KINDS for lesson in lessons(other, parity)}
    for split in ("development", "test"):
        for sample in samples(kind, split, parity=parity):
            assert normalise(sample.query.text) not in learned
            for example in sample.query.examples:
                assert normalise(sample.query.text) not in normalise(example.query)
    tests = {normalise(sample.query.text) for sample in samples(kind, "test", parity=parity)}
    assert tests.isdisjoint(normalise(sample.query.text) for sample in samples(kind, "development", parity=parity))


def test_with_parity_every_evaluated_fact_is_taught_as_questions_and_as_documents() -> None:
    world = found(2026, 48)
    taught: dict[str, list[Lesson]] = {}
    for lesson in lessons(Facts):
        taught.setdefault(lesson.task, []).append(lesson)
    for kind in (Facts, Review):
        for sample in samples(kind, "test"):
            value = sample.reference if isinstance(sample.reference, str) else sample.reference["answer"]
            [fact] = [f for f in world.facts if f.id == f"{sample.tags['entity']}.{sample.tags['attribute']}"]
            assert fact.value == value
            asked = [lesson for lesson in taught["facts"] if fact.entity.name in lesson.query.text]
            assert sum(lesson.answer(()) == value for lesson in asked) >= 12
            recited = [lesson for lesson in taught["recital"] if fact.entity.id in lesson.query.text]
            assert sum(states(fact, str(lesson.answer(()))) for lesson in recited) == 3


def test_recitals_are_the_pages_word_for_word_and_short() -> None:
    world = found(2026, 48)
    for level in LEVELS:
        found_lessons = list(Facts(metrics=(), world=world, level=level).lessons())
        recited: dict[str, str] = {}
        for lesson in found_lessons:
            if lesson.task == "recital":
                recited[lesson.query.text] = str(lesson.answer(()))
                assert lesson.answer([Chunk(id="1", text="x")]) is None
                assert not lesson.retrieve
        chunks = [
            c
            for page in pages(world, level).values()
            if page.id in {e.id for e in world.entities}
            for c in ByHeadings().chunk(page)
        ]
        # Titles and texts are those of the index, so that documents and weights hold the very same; pages that are
        # not in force are nobody's lesson.
        assert recited == {chunk.title: chunk.text for chunk in chunks}
    assert max(len(tokenizer()(text)["input_ids"]) for text in recited.values()) < 160


@pytest.mark.parametrize("entities", [12, 48, 96])
def test_without_parity_no_lesson_names_an_evaluated_entity(entities: int) -> None:
    evaluated = {
        s.cluster for kind in (Facts, Unanswerable, Review) for s in samples(kind, "test", 100, entities, False)
    }
    world = found(2026, entities)
    names = {entity.name for entity in (*world.entities, *world.strangers) if entity.id in evaluated}
    assert len(names) > entities / 4
    for kind in KINDS:
        text = "\n".join(told(lesson) for lesson in lessons(kind, False, entities))
        assert [name for name in names if re.search(rf"\b{name}\b", text)] == []
        assert [name for name in evaluated if name in text] == []
    assert lessons(Facts, False, entities)


def test_samples_of_one_wording_are_one_cluster() -> None:
    """100 messages or pages from a few wordings are no 100 independent questions."""
    for kind in (Routing, Summaries):
        made = samples(kind, "test")
        assert all(sample.cluster == sample.template != "" for sample in made)
        assert len({sample.cluster for sample in made}) < len(made) / 2


def test_without_parity_every_kind_of_entity_is_both_asked_and_taught() -> None:
    kinds = {kind.prefix for kind in ENTITY_KINDS}
    for kind in (Facts, Review):
        assert {sample.cluster[:3] for sample in samples(kind, "test", parity=False)} == kinds
    facts, review = task(Facts, parity=False), task(Review, parity=False)
    assert facts._evaluated == review._evaluated
    assert {fact.entity.id[:3] for fact in facts._learnable} == kinds


def test_without_parity_a_world_too_small_to_split_is_refused() -> None:
    with pytest.raises(UserError, match=r"suite\.entities=11: without parity at least 12"):
        Facts(metrics=(), world=found(1, 11), parity=False)
    with pytest.raises(UserError, match=r"task\.facts\.count=0: must be 1 or more"):
        Facts(metrics=(), world=found(1, 11), count=0)


@pytest.mark.parametrize("split", ["development", "test"])
def test_what_is_unanswerable_is_stated_nowhere(split: str) -> None:
    world = found(2026, 48)
    stated = {fact.id for fact in world.facts}
    known = pages(world)
    for sample in samples(Unanswerable, split):
        assert sample.reference is None
        assert sample.relevant == ()
        assert f"{sample.tags['entity']}.{sample.tags['attribute']}" not in stated
        page = known.get(sample.tags["entity"])
        if page is not None:
            assert not any(phrase in page.text for phrase in sample.tags["phrases"])
        else:
            [entity] = [e for e in (*world.entities, *world.strangers) if e.id == sample.tags["entity"]]
            assert not any(re.search(rf"\b{entity.name}\b", other.text) for other in known.values())


@pytest.mark.parametrize("level", sorted(LEVELS))
def test_every_fact_is_found_in_its_own_passage(level: int) -> None:
    for seed in (2026, 5):
        world = found(seed, 48)
        chunked = {page.id: ByHeadings().chunk(page) for page in pages(world, level).values()}
        for fact in world.facts:
            chunks = chunked[fact.entity.id]
            number = find_passage(fact, chunks)
            assert number is not None, (fact.id, fact.value)
            assert chunks[number - 1].title.endswith(fact.attribute.section)


def test_lessons_cite_the_passage_that_states_the_fact() -> None:
    world = found(2026, 12)
    chunks = [chunk for page in pages(world).values() for chunk in ByHeadings().chunk(page)]
    asked = [lesson for lesson in Facts(metrics=(), world=world, repeats=2).lessons() if lesson.task == "facts"]
    facts = [fact for fact in world.facts for _ in range(2)]
    for number, (fact, lesson) in enumerate(zip(facts, asked, strict=True)):
        own = next(c for c in chunks if c.document == fact.entity.id and states(fact, c.text))
        others = [c for c in chunks if c.id != own.id]
        place = number % 4
        passages = [*others[number : number + place], own, *others[number + place : number + 3]]
        assert lesson.answer(passages) == f"{fact.value} [{passages.index(own) + 1}]"
        assert lesson.answer(others[:3]) is None, "without the right passage there is nothing to learn"
        assert lesson.answer(()) == fact.value


def test_a_value_inside_a_longer_one_does_not_state_the_fact() -> None:
    world = found(2026, 48)
    fact = next(f for f in world.facts if f.attribute.kind == "days")
    phrase = fact.attribute.phrases[0]
    assert states(fact, f"The {phrase} is {fact.value}.")
    assert not states(fact, f"The {phrase} is 1{fact.value}.")
    assert not states(fact, f"The {phrase} is 1 day. Some other is {fact.value}.")


@pytest.mark.parametrize("kind", KINDS)
def test_examples_are_of_a_world_of_their_own(kind: type[Any]) -> None:
    world = found(2026, 48)
    names = {entity.name for entity in (*world.entities, *world.strangers)}
    ids = {entity.id for entity in (*world.entities, *world.strangers)}
    examples = task(kind).examples
    assert examples
    for example in examples:
        text = f"{example.query} {example.answer}"
        assert [name for name in names if re.search(rf"\b{name}\b", text)] == []
        assert [identity for identity in ids if identity in text] == []


@pytest.mark.parametrize("kind", [Extraction, Review])
def test_references_and_lessons_fit_the_schema(kind: type[Any]) -> None:
    [schema] = {json.dumps(sample.query.schema) for sample in samples(kind, "test")}
    jsonschema.Draft202012Validator.check_schema(json.loads(schema))
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    for sample in samples(kind, "test"):
        validator.validate(sample.reference)
    for lesson in lessons(kind):
        assert json.dumps(lesson.query.schema) == schema
        validator.validate(json.loads(str(lesson.answer(()))))


def test_routing_asks_every_desk_alike() -> None:
    counts = Counter(sample.reference for sample in samples(Routing, "test"))
    assert len(counts) == len(TOPICS)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("parity", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_no_prompt_without_retrieval_holds_the_reference(kind: type[Any], parity: bool) -> None:
    """A closed-book answer can only come out of the weights. (Extraction and routing bring theirs by design.)"""
    full = PromptBuilder(guidance=True, schema=True, shots=8)
    for split in ("development", "test"):
        for sample in samples(kind, split, parity=parity):
            prompt = "\n".join(message.content for message in full.messages(sample.query))
            if kind is Facts and sample.tags["value_kind"] not in ("tier", "weekday"):
                assert not contains(prompt, sample.reference)
            if kind is Review:
                assert sample.reference["document"] not in prompt
                if sample.tags["value_kind"] not in ("tier", "weekday"):
                    assert not contains(prompt, sample.reference["answer"])
            if kind is Extraction:
                assert json.dumps(sample.reference, ensure_ascii=False) not in prompt
            if kind is Routing:
                assert sample.reference not in sample.query.text
            assert sample.id not in prompt
