"""The company in depth: two pages, no page at all, paraphrases, forms, summaries, replies, other abilities."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from typing import Any

import jsonschema
import pytest

from bench.config import build, compose
from bench.contamination import check_splits
from bench.detectors.closed_world import ClosedWorld
from bench.metrics.coverage import Coverage
from bench.metrics.rules_followed import RulesFollowed
from bench.metrics.text import contains, normalise
from bench.records import Prediction, Sample
from bench.tasks.base import Suite, Task
from bench.tasks.company.adjacent import Adjacent
from bench.tasks.company.base import states
from bench.tasks.company.consistency import Consistency
from bench.tasks.company.extraction import Extraction
from bench.tasks.company.forms import FORMS, iso
from bench.tasks.company.multihop import MultiHop
from bench.tasks.company.out_of_scope import THINGS
from bench.tasks.company.replies import HEADINGS, Replies
from bench.tasks.company.summaries import Summaries
from bench.world.company import Company, Fact, Link, found
from bench.world.documents import owner
from systems.base import Chunk, Document, UserError
from systems.knowledge.chunking import ByHeadings
from tests.metrics.making import prediction

NAMES = (
    "facts", "multihop", "unanswerable", "out_of_scope", "consistency", "review", "routing", "extraction",
    "extraction_nested", "extraction_list", "summaries", "replies", "replies_in_thread", "adjacent",
)  # fmt: skip
PARITY = pytest.mark.parametrize("parity", [True, False])
SPLITS = ("development", "test")


@cache
def suite(parity: bool = True) -> Suite:
    settings = ["suite.entities=48", f"suite.parity={str(parity).lower()}", "suite.repeats=4"]
    made = build(compose(["suite=company_deep", *settings]).suite)
    assert isinstance(made, Suite)
    return made


def world() -> Company:
    return found(2026, 48, strangers=48, links=True)


def task(name: str, parity: bool = True) -> Task:
    return next(task for task in suite(parity).tasks if task.name == name)


@cache
def samples(name: str, split: str = "test", parity: bool = True) -> list[Sample]:
    return list(task(name, parity).samples(split))


def pages() -> dict[str, Document]:
    return {page.id: page for page in suite().corpus}


def facts() -> dict[str, Fact]:
    return {fact.id: fact for fact in world().facts}


def asked_fact(sample: Sample) -> Fact:
    return facts()[f"{sample.tags['entity']}.{sample.tags['attribute']}"]


def chunks(page: str) -> list[Chunk]:
    return ByHeadings().chunk(pages()[page])


def rules_followed(sample: Sample, text: str) -> list[str]:
    """The rules that an answer breaks."""
    return list(RulesFollowed().score(sample, prediction(text), {}).detail.get("broken", []))


# The suite as a whole


@PARITY
def test_splits_are_disjoint(parity: bool) -> None:
    assert tuple(one.name for one in suite(parity).tasks) == NAMES
    findings = check_splits(suite(parity))
    assert [finding for finding in findings if finding["level"] != "note"] == []


def test_a_seed_makes_the_same_suite() -> None:
    again = build(compose(["suite=company_deep", "suite.entities=48", "suite.repeats=4"]).suite)
    assert again.samples() == suite().samples()
    assert again.corpus == suite().corpus


def test_a_larger_company_has_more_pages() -> None:
    larger = ["suite.entities=400", "suite.strangers=null", "suite.level=3"]
    made = build(compose(["suite=company_deep", *larger]).suite)
    assert len(made.corpus) > 10 * 400


@pytest.mark.parametrize("kind", [MultiHop, Consistency, Summaries, Replies, Adjacent])
def test_another_seed_makes_another_task(kind: type[Any]) -> None:
    made = [kind(metrics=(), world=found(seed, 48, links=True)).samples("test") for seed in (1, 2)]
    first, second = ({sample.query.text for sample in asked} for asked in made)
    assert first.isdisjoint(second)


@PARITY
@pytest.mark.parametrize("name", NAMES)
def test_samples_are_counted_and_told_apart(name: str, parity: bool) -> None:
    for split in SPLITS:
        made = samples(name, split, parity)
        assert len({sample.id for sample in made}) == len(made) == 60


def test_without_parity_training_names_nobody_who_is_evaluated() -> None:
    held_out = suite(parity=False).unseen
    names = [entity.name for entity in world().entities if entity.id in held_out]
    assert len(names) == 24
    for one in suite(parity=False).tasks:
        told = "\n".join(f"{lesson.query.text} {lesson.answer(())}" for lesson in one.lessons())
        assert [name for name in names if re.search(rf"\b{name}\b", told)] == [], one.name


def test_without_parity_no_page_that_names_an_evaluated_entity_is_shown_in_training() -> None:
    made = suite(parity=False)
    names = [entity.name for entity in world().entities if entity.id in made.unseen]
    shown = "\n".join(f"{page.title} {page.text}" for page in made.corpus if page.id not in made.unseen)
    assert [name for name in names if re.search(rf"\b{name}\b", shown)] == []
    assert {owner(page) for page in made.unseen} <= {entity.id for entity in world().entities}
    assert suite(parity=True).unseen == frozenset()


@pytest.mark.parametrize("name", ["facts", "multihop", "consistency", "review"])
def test_without_parity_only_those_held_out_are_asked_about(name: str) -> None:
    assert {page for sample in samples(name, parity=False) for page in sample.relevant} <= suite(parity=False).unseen


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_of_a_world_of_their_own(name: str) -> None:
    examples = "\n".join(f"{one.query} {one.answer}" for sample in samples(name) for one in sample.query.examples)
    assert bool(examples) == (name != "adjacent")
    named = [one.name for one in (*world().entities, *world().strangers) if re.search(rf"\b{one.name}\b", examples)]
    assert named == []


@PARITY
@pytest.mark.parametrize("name", NAMES)
def test_what_is_relevant_is_in_force(name: str, parity: bool) -> None:
    labelled = {page for split in SPLITS for sample in samples(name, split, parity) for page in sample.relevant}
    assert labelled <= pages().keys()
    assert {page for page in labelled if page[:3] != "DSK"} <= {entity.id for entity in world().entities}
    assert bool(labelled) == (name in ("facts", "multihop", "consistency", "review", "routing"))


@pytest.mark.parametrize("name", ["facts", "consistency", "review"])
def test_the_relevant_page_states_the_answer(name: str) -> None:
    for sample in samples(name):
        fact = asked_fact(sample)
        assert sample.relevant == (fact.entity.id,)
        assert states(fact, pages()[fact.entity.id].text)
        answer = sample.reference["answer"] if name == "review" else sample.reference
        assert answer == fact.value


@pytest.mark.parametrize("name", ["review", "extraction", "extraction_nested", "extraction_list"])
def test_references_and_lessons_fit_the_schema_of_the_question(name: str) -> None:
    for split in SPLITS:
        for sample in samples(name, split):
            jsonschema.Draft202012Validator.check_schema(sample.query.schema)
            jsonschema.Draft202012Validator(sample.query.schema).validate(sample.reference)
    for lesson in task(name).lessons():
        jsonschema.Draft202012Validator(lesson.query.schema).validate(json.loads(str(lesson.answer(()))))


# Facts over two pages


def _called(link: Link) -> str:
    """What a question calls the second entity."""
    return link.kind.asks.format(e=link.source.name)


@PARITY
def test_both_pages_are_needed(parity: bool) -> None:
    names = {entity.id: entity.name for entity in world().entities}
    for split in SPLITS:
        for sample in samples("multihop", split, parity):
            first, second = sample.relevant
            fact = asked_fact(sample)
            assert (fact.entity.id, fact.value) == (second, sample.reference)
            assert names[first] in sample.query.text
            assert not contains(sample.query.text, names[second]), "the question names the first alone"
            assert names[second] in pages()[first].text, "whose page names the second"
            assert states(fact, pages()[second].text), "whose page states the fact"
            assert not any(states(fact, chunk.text) for chunk in chunks(first))
            assert not contains(f"{pages()[second].title} {pages()[second].text}", names[first])


def test_with_parity_a_chain_of_two_pages_is_asked_in_one_split() -> None:
    chains = {split: {sample.relevant for sample in samples("multihop", split)} for split in SPLITS}
    assert chains["development"].isdisjoint(chains["test"])
    evaluated = chains["development"] | chains["test"]
    links = {(link.source.id, link.target.id): link for link in world().links}
    taught = "\n".join(lesson.query.text for lesson in task("multihop").lessons()).casefold()
    for chain in evaluated:
        assert _called(links[chain]).casefold() not in taught


def test_a_chain_is_taught_where_both_pages_are_shown() -> None:
    lessons = task("multihop").lessons()
    assert len(lessons) >= 20
    for lesson in lessons:
        [link] = [link for link in world().links if _called(link).casefold() in lesson.query.text.casefold()]
        value = str(lesson.answer(()))
        [fact] = [
            fact
            for fact in world().facts
            if (fact.entity, fact.value) == (link.target, value)
            and any(phrase in lesson.query.text for phrase in fact.attribute.phrases)
        ]
        first, second = chunks(link.source.id), chunks(link.target.id)
        assert lesson.answer(first) is None
        assert lesson.answer(second) is None
        number = next(n for n, chunk in enumerate(second, len(first) + 1) if states(fact, chunk.text))
        assert lesson.answer([*first, *second]) == f"{value} [{number}]"


def test_two_pages_need_links_and_enough_entities() -> None:
    with pytest.raises(UserError, match=r"suite\.links=false: questions over two documents need"):
        MultiHop(metrics=(), world=found(7, 48))
    with pytest.raises(UserError, match=r"suite\.entities=6: too few for questions over two documents"):
        MultiHop(metrics=(), world=found(7, 6, stated=0.1, links=True))


# Questions of no page


def test_nothing_out_of_scope_stands_in_a_document() -> None:
    things = [thing for split in THINGS.values() for thing in split]
    assert len(things) == len(set(things))
    corpus = "\n".join(f"{page.title} {page.text}" for page in suite().corpus)
    for split in SPLITS:
        for sample in samples("out_of_scope", split):
            assert (sample.reference, sample.relevant) == (None, ())
            [thing] = [thing for thing in THINGS[split] if re.search(rf"\b{thing}\b", sample.query.text)]
            assert not contains(corpus, thing.split()[1])
    assert {lesson.answer(()) for lesson in task("out_of_scope").lessons()} == {"I don't know."}


def test_levels_with_more_pages_state_nothing_that_is_unanswerable() -> None:
    for sample in samples("unanswerable"):
        own = [page for page in suite().corpus if owner(page.id) == sample.tags["entity"]]
        assert not any(phrase in page.text for page in own for phrase in sample.tags["phrases"])


# One question in several wordings


@PARITY
def test_paraphrases_share_reference_and_page_and_no_wording(parity: bool) -> None:
    for split in SPLITS:
        groups = defaultdict(list)
        for sample in samples("consistency", split, parity):
            groups[sample.tags["group"]].append(sample)
        assert len(groups) == 12
        for group, members in groups.items():
            assert {(one.reference, one.relevant) for one in members} == {
                (facts()[group].value, (facts()[group].entity.id,))
            }
            assert len({one.template for one in members}) == len({one.query.text for one in members}) == 5
    assert task("consistency", parity).lessons() == []


def test_agreement_is_the_share_of_the_others_that_say_the_same() -> None:
    judge = task("consistency")
    assert isinstance(judge, Consistency)
    one, two = samples("consistency")[:5], samples("consistency")[5:10]
    said = ["12 euros [1]", "12 Euros.", "12 euros", "13 euros", ""]
    given = [
        Prediction(
            system=system, task="consistency", sample=sample.id, text=text, error="time-out" if not text else None
        )
        for system, group in (("rag", one), ("prompt", two))
        for sample, text in zip(group, said, strict=True)
    ]
    alone = Prediction(system="hybrid", task="consistency", sample=one[0].id, text="12 euros")
    agreement = [None if found is None else found["agreement"] for found in judge.verdicts([*given, alone])]
    # Three say the same: each agrees with two of four others. Who says something else, or nothing, agrees with none.
    assert agreement == [0.5, 0.5, 0.5, 0.0, 0.0] * 2 + [None]


@pytest.mark.parametrize("wordings", [1, 7])
def test_wordings_are_as_many_as_there_are(wordings: int) -> None:
    with pytest.raises(UserError, match=rf"task\.consistency\.wordings={wordings}: must be 2 to 6"):
        Consistency(metrics=(), world=world(), wordings=wordings)


# Forms


def test_nested_forms_hold_what_the_message_says() -> None:
    missing = 0
    for sample in samples("extraction_nested"):
        assert list(sample.reference) == ["buyer", "purchase"]
        values = {**sample.reference["buyer"], **sample.reference["purchase"]}
        missing += list(values.values()).count(None)
        assert [v for v in values.values() if v is not None and str(v) not in sample.query.text] == []
    assert 30 < missing < 90  # 300 fields, a fifth of them missing


def test_listed_orders_stand_in_the_message_one_after_the_other() -> None:
    written = r"[A-Z]{2}-\d{4}|\d+ euros|\d{1,2} [A-Z][a-z]+ \d{4}"
    for sample in samples("extraction_list"):
        expected = [value for order in sample.reference["orders"] for value in order.values() if value is not None]
        found_values = [
            int(value.split()[0]) if "euros" in value else value if "-" in value else iso(value)
            for value in re.findall(written, sample.query.text)
        ]
        assert found_values == expected
        assert all(order["code"] for order in sample.reference["orders"])
        if sample.reference["claimant"] is not None:
            assert sample.reference["claimant"] in sample.query.text


@pytest.mark.parametrize(("written", "standard"), [("5 March 2024", "2024-03-05"), ("28 December 2019", "2019-12-28")])
def test_dates_by_the_standard(written: str, standard: str) -> None:
    assert iso(written) == standard
    assert iso(None) is None


def test_an_unknown_form_is_one_line() -> None:
    assert tuple(FORMS) == ("flat", "nested", "list")
    with pytest.raises(UserError, match=r"task\.extraction\.form=tree: must be one of flat, nested, list"):
        Extraction(metrics=(), world=world(), form="tree")


# Summaries and replies


def test_a_reference_summary_keeps_every_value_and_makes_none_up() -> None:
    for split in SPLITS:
        for sample in samples("summaries", split):
            assert 3 <= len(sample.tags["required"]) <= 5
            assert all(contains(sample.query.text, value) for value in sample.tags["required"])
            assert Coverage().score(sample, prediction(sample.reference), {}).value == 1
            assert rules_followed(sample, sample.reference) == []
            verdict = ClosedWorld().judge(sample, prediction(sample.reference), ())
            assert verdict is not None
            assert not verdict["unfactual"]
            # To repeat the page is no summary.
            assert rules_followed(sample, sample.query.text + "\n\n" + sample.query.text) != []


@pytest.mark.parametrize("name", ["replies", "replies_in_thread"])
def test_the_reference_reply_follows_the_style_guide_and_others_break_it_rule_by_rule(name: str) -> None:
    desks = list(world().desks.values())
    for split in SPLITS:
        for sample in samples(name, split):
            good = sample.reference
            desk = next(desk for desk in desks if good.endswith(f"the {desk} desk"))
            other = next(one for one in desks if one != desk)
            broken = {
                "style:begins_with": good.replace("Dear ", "Hello "),
                "style:sections": good.replace(f"{HEADINGS[1]}:", "Then:"),
                "style:max_words": good.replace("will look at it", "will look at it " + "again " * 60),
                "style:forbidden_phrases": good.replace("will look", "will unfortunately look"),
                "style:no_first_person_singular": good.replace("will look", "and I will look"),
                "startend:end_checker": good.replace(f"regards, the {desk}", f"regards, the {other}"),
            }
            assert rules_followed(sample, good) == []
            for rule, text in broken.items():
                assert rules_followed(sample, text) == [rule]


def test_a_thread_grows_the_context_and_its_last_message_is_answered() -> None:
    length = {}
    for thread in (0, 3, 9):
        made = Replies(metrics=(), world=world(), thread=thread, count=16).samples("test")
        length[thread] = sum(len(sample.query.text.split()) for sample in made)
        for sample in made:
            people = re.findall(r"^From (\w+ \w+): ", sample.query.text, re.MULTILINE)
            assert len(set(people)) == thread + 1
            assert sample.reference.startswith(f"Dear {people[-1]},")
    assert length[3] > 2 * length[0]
    assert length[9] > 2 * length[3]
    with pytest.raises(UserError, match=r"task\.replies\.thread=-1: must be 0 or more"):
        Replies(metrics=(), world=world(), thread=-1)


# What tuning was not about


def test_nothing_is_taught_of_other_abilities() -> None:
    assert task("adjacent").lessons() == []
    asked = {sample.query.instruction for sample in samples("adjacent")}
    assert len(asked) == 2
    lessons = suite().lessons()
    assert asked.isdisjoint(lesson.query.instruction for lesson in lessons)
    texts = {normalise(sample.query.text) for sample in samples("adjacent")}
    assert texts.isdisjoint(normalise(lesson.query.text) for lesson in lessons)


def test_other_abilities_have_one_right_answer() -> None:
    names = [entity.name for entity in (*world().entities, *world().strangers)]
    for sample in samples("adjacent"):
        assert not [name for name in names if re.search(rf"\b{name}\b", sample.query.text)]
        if sample.tags["ability"] == "copy":
            assert sample.reference == sample.query.text
            continue
        *passages, question = sample.query.text.rstrip().split("\n")
        [name] = re.findall(r"about (.+)\?$", question)
        titles = [line for line in passages if re.match(r"\[\d\]", line)]
        assert [title[:3] for title in titles if f"] {name} (" in title] == [sample.reference]


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UserError, match=r"task\.summaries\.level=4: must be one of 1, 2, 3"):
        Summaries(world=found(1, 12), count=1, metrics=(), level=4)
