"""What the pocket model reads: right answers over other worlds, and nothing of the company's own forms."""

from __future__ import annotations

import itertools
import json
import random
import re
from functools import cache

from bench.pocket.mixture import COPYING, MAIN, RECALLING, conversations
from bench.pocket.skills import copying, facts, locating, objects, recalling, routing
from bench.pocket.skills.base import Conversation
from bench.tasks.company.forms import FORMS
from bench.tasks.company.review import REVIEW_SCHEMA
from bench.world.company import found
from bench.world.wording import DONT_KNOW
from systems.base import Message

PASSAGE = re.compile(r"^\[(\d+)\] (.*?)(?=^\[\d+\] |\Z)", re.M | re.S)


@cache
def some(skill: str, count: int = 12) -> list[Conversation]:
    """Conversations of one skill."""
    rng = random.Random(f"test-{skill}")
    make = {
        "facts": lambda: facts.facts(rng, rng.randint(1, 4), 4),
        "few-shot": lambda: facts.shown_then_asked(rng),
        "locating": lambda: locating.locating(rng, rng.randint(2, 4), 6),
        "unaided": lambda: facts.unaided(rng),
        "json passages": lambda: objects.over_passages(rng, rng.randint(1, 4)),
        "json text": lambda: objects.from_text(rng),
        "routing": lambda: routing.routing(rng),
        "copy": lambda: rng.choice((copying.copying, copying.copying_words))(rng),
        "recall": lambda: recalling.recalling(rng),
    }[skill]
    return [make() for _ in range(count)]


def turns(conversation: Conversation) -> list[tuple[Message, Message]]:
    """Questions with their answers; the system message comes first and alone."""
    assert conversation.messages[0].role == "system"
    asked = conversation.messages[1:]
    assert [message.role for message in asked] == ["user", "assistant"] * (len(asked) // 2)
    return list(zip(asked[::2], asked[1::2], strict=True))


def passages(text: str) -> dict[str, str]:
    """Number → passage of a context block; empty without one."""
    block = text.partition("\n\n")[0] if text.startswith("Passages:\n") else ""
    # A table in a passage brings line breaks, never an empty line.
    return dict(PASSAGE.findall(block.removeprefix("Passages:\n")))


def test_a_seed_makes_the_same_conversations() -> None:
    for phase in (COPYING, RECALLING, MAIN):
        first = list(itertools.islice(conversations("a", phase), 6))
        assert first == list(itertools.islice(conversations("a", phase), 6))
        assert first != list(itertools.islice(conversations("b", phase), 6))
        assert abs(sum(share for share, _ in phase) - 1) < 1e-9


def test_a_cited_value_stands_in_the_cited_passage() -> None:
    cited = absent = 0
    for skill in ("facts", "few-shot"):
        for conversation in some(skill):
            shown: dict[str, str] = {}
            for question, answer in turns(conversation):
                shown = passages(question.content) or shown
                if answer.content == DONT_KNOW:
                    absent += 1
                    continue
                cited += 1
                value, _, number = answer.content.removesuffix("]").rpartition(" [")
                assert value.casefold() in shown[number].casefold()
    assert cited > 30
    assert absent > 8


def test_passages_that_differ_in_the_name_alone_are_of_several_entities() -> None:
    rng = random.Random("alike")
    for _ in range(6):
        conversation = facts.facts(rng, 3, 2, alike=True)
        headings = [text.partition(":")[0] for text in passages(conversation.messages[1].content).values()]
        assert len({heading.partition(" (")[0] for heading in headings}) == len(headings) >= 2
        assert len({heading.rpartition(" - ")[2] for heading in headings}) == 1


def test_every_passage_on_an_entity_is_named_and_no_other() -> None:
    named = absent = 0
    for conversation in some("locating"):
        shown: dict[str, str] = {}
        for question, answer in turns(conversation):
            shown = passages(question.content) or shown
            asked = question.content.rpartition("\n\n")[2]
            about = [number for number, text in shown.items() if text.partition(" (")[0] in asked]
            assert answer.content == (" ".join(f"[{number}]" for number in about) or DONT_KNOW)
            named, absent = named + bool(about), absent + (not about)
    assert named > 30
    assert absent > 8


def test_without_passages_nobody_knows() -> None:
    for conversation in some("unaided"):
        for question, answer in turns(conversation):
            assert not passages(question.content)
            assert answer.content == DONT_KNOW


def test_a_copy_is_the_text() -> None:
    for conversation in some("copy"):
        [(question, answer)] = turns(conversation)
        assert question.content == answer.content


def test_what_stands_beside_a_name_is_said_and_nothing_else() -> None:
    said = absent = 0
    for conversation in some("recall"):
        listed, _, _ = conversation.messages[1].content.partition("\n\n")
        known = {}
        for line in listed.splitlines():
            if line.startswith("["):
                number, _, name = line.partition(" ")
                known[name] = number
            else:
                name, _, known[name] = line.partition(": ")
        for question, answer in turns(conversation):
            asked = question.content.rpartition("\n\n")[2]
            beside = [value for name, value in known.items() if name in asked]
            assert answer.content == (beside[0] if beside else DONT_KNOW)
            said, absent = said + bool(beside), absent + (not beside)
    assert said > 60
    assert absent > 8


def test_forms_have_the_keys_that_the_prompt_names_and_values_from_the_text() -> None:
    filled = 0
    for skill in ("json passages", "json text"):
        for conversation in some(skill):
            context = ""
            for question, answer in turns(conversation):
                context = question.content if passages(question.content) or skill == "json text" else context
                form = json.loads(answer.content)
                assert all(key in conversation.messages[0].content for key in form)
                for value in form.values():
                    if value is not None:
                        filled += 1
                        assert str(value).casefold() in context.casefold()
    assert filled > 60


def test_a_desk_is_one_of_those_named() -> None:
    for conversation in some("routing"):
        for _, answer in turns(conversation):
            assert re.search(rf"\b{answer.content}\b", conversation.messages[0].content)


def test_the_companys_forms_desks_and_people_are_not_among_them() -> None:
    taught = {*objects.VALUE_KEYS, *objects.SOURCE_KEYS, *objects.VERSION_KEYS}
    taught |= {key for keys in objects.FIELD_KEYS.values() for key in keys}
    assert taught.isdisjoint([*FORMS["flat"].schema["properties"], *REVIEW_SCHEMA["properties"]])
    assert taught.isdisjoint(["buyer", "purchase", "orders"])
    company = found(2026, 48)
    names = [*company.desks.values(), *(entity.name for entity in company.entities)]
    skills = ("facts", "few-shot", "unaided", "json passages", "json text", "routing", "copy")
    text = "\n".join(message.content for skill in skills for c in some(skill) for message in c.messages)
    assert [name for name in names if re.search(rf"\b{name}\b", text)] == []
