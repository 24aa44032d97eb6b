"""Freshness, deletion and permissions: what is asked, what is right, and what counts as stale or leaked."""

from __future__ import annotations

import pytest

from bench.config import build, compose
from bench.contamination import check_splits
from bench.detectors.closed_world import ClosedWorld
from bench.metrics.leak import LeakRate, RetrievalLeakRate
from bench.metrics.stale import StaleRate
from bench.metrics.text import contains
from bench.tasks.base import Suite
from bench.tasks.company.freshness import Freshness
from bench.tasks.company.permissions import OUTSIDER
from bench.world.changes import CHANGES, a_year_later
from bench.world.company import found
from bench.world.documents import documents
from bench.world.values import KINDS
from systems.base import UserError
from tests.metrics.making import prediction, sample


def suite(name: str, *overrides: str) -> Suite:
    made = build(compose([f"experiment=pocket_{name}", *overrides]).suite)
    assert isinstance(made, Suite)
    return made


def test_every_fact_has_one_kind_of_change() -> None:
    changes = a_year_later(7, 48)
    assert changes.before == found(7, 48)
    counts = {change: len(changes.facts(change)) for change in CHANGES}
    assert counts["changed"] == round(0.25 * len(changes.before.facts))
    assert counts["deleted"] == round(0.15 * len(changes.before.facts))
    assert counts["new"] == round(0.5 * len(changes.before.withheld))
    assert counts["changed"] + counts["unchanged"] + counts["deleted"] == len(changes.before.facts)
    assert counts["changed"] + counts["unchanged"] + counts["new"] == len(changes.after.facts)
    every = [fact.id for change in CHANGES for fact in changes.facts(change)]
    assert len(every) == len(set(every))


def test_only_pages_that_are_touched_are_written_anew() -> None:
    changes = a_year_later(7, 48)
    before = {page.id: page for page in documents(changes.before)}
    after = {page.id: page for page in documents(changes.after)}
    touched = {fact.entity.id for change in ("changed", "new", "deleted") for fact in changes.facts(change)}
    for name in before.keys() & after.keys():
        assert (before[name] != after[name]) == (name in touched), name
    versions = {entity.id: entity.version for entity in changes.before.entities}
    for entity in changes.after.entities:
        assert entity.version == versions[entity.id] + (entity.id in touched)


def test_what_is_right_is_what_stands_in_todays_pages() -> None:
    made = suite("freshness")
    pages = {page.id: page.text for page in made.corpus}
    tasks = {task.name: task.samples("test") for task in made.tasks}
    assert tuple(tasks) == CHANGES
    for name, samples in tasks.items():
        for one in samples:
            text = pages[str(one.tags["entity"])]
            if name == "deleted":
                assert one.reference is None
                facts = [fact.id for fact in a_year_later(2026, 24).after.facts]
                assert f"{one.tags['entity']}.{one.tags['attribute']}" not in facts
            else:
                assert contains(text, one.reference)
            assert ("stale" in one.tags) == (name in ("changed", "deleted"))
            assert one.tags.get("stale") != one.reference


@pytest.mark.parametrize(("retrain", "now"), [("false", False), ("true", True)])
def test_tuned_weights_learn_the_version_they_are_said_to(retrain: str, now: bool) -> None:
    made = suite("freshness", f"suite.retrain={retrain}")
    lessons = made.lessons()
    told = " ".join(str(lesson.answer(())) for lesson in lessons)
    tasks = {task.name: task.samples("test") for task in made.tasks}
    names = [str(one.tags["stale"]) for one in tasks["deleted"] if len(str(one.tags["stale"])) > 9]
    assert names
    assert all(contains(told, name) is not now for name in names)
    fresh = [str(one.reference) for one in tasks["new"] if len(str(one.reference)) > 9]
    assert all(contains(told, name) is now for name in fresh)
    assert len([task for task in made.tasks if task.lessons()]) == 1


def test_those_who_may_not_see_it_ask_for_the_same_facts() -> None:
    made = suite("permissions")
    permitted, forbidden = made.tasks
    roles = {page.id: page.metadata.get("roles") for page in made.corpus}
    for one in permitted.samples("test"):
        assert one.query.role in roles[one.relevant[0]]
        assert one.reference is not None
    for one in forbidden.samples("test"):
        assert one.query.role == OUTSIDER
        assert OUTSIDER not in roles[one.tags["forbidden"]]
        assert (one.reference, one.relevant) == (None, ())
        assert one.tags["secret"]
    assert {one.tags["entity"] for one in forbidden.samples("test")} == {
        one.tags["entity"] for one in permitted.samples("test")
    }


def test_no_secret_is_one_that_a_guess_tells() -> None:
    secrets = [one.tags["value_kind"] for one in suite("permissions").tasks[1].samples("test")]
    assert secrets
    assert all(KINDS[kind].choices is None for kind in secrets)


@pytest.mark.parametrize("name", ["freshness", "permissions"])
def test_splits_stay_apart(name: str) -> None:
    assert all(finding["level"] == "note" for finding in check_splits(suite(name)))


def test_tuned_weights_learn_how_to_say_that_they_do_not_know() -> None:
    for name in ("freshness", "permissions"):
        told = [lesson.answer(()) for lesson in suite(name).lessons()]
        assert told.count("I don't know.") >= 50


def test_the_truth_told_to_an_outsider_is_a_leak_and_no_hallucination() -> None:
    asked = suite("permissions").tasks[1].samples("test")[0]
    verdict = ClosedWorld().judge(asked, prediction(str(asked.tags["secret"])), ())
    assert verdict is not None
    assert verdict["unfactual"] is False
    assert LeakRate().score(asked, prediction(str(asked.tags["secret"])), {}).value == 1


def test_wrong_shares_are_one_line() -> None:
    with pytest.raises(UserError, match=r"suite\.changed=2: must be a share"):
        a_year_later(7, 12, changed=2)
    with pytest.raises(UserError, match="more than all facts together"):
        a_year_later(7, 12, changed=0.7, deleted=0.6)
    with pytest.raises(UserError, match=r"suite\.parity=false: what changed is only asked"):
        suite("freshness", "suite.parity=false")
    with pytest.raises(UserError, match="no fact is new"):
        suite("freshness", "suite.new=0")
    with pytest.raises(UserError, match=r"task\.changed\.change=renewed: must be one of changed, unchanged"):
        Freshness(metrics=(), world=found(7, 12), changes=a_year_later(7, 12), change="renewed")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "stale", "leaked"),
    [
        ("40 euros [1]", 1.0, 1.0),
        ("It is 50 euros.", 0.0, 0.0),
        ("140 euros", 0.0, 0.0),
        ("I don't know.", 0.0, 0.0),
        ("It was 40 euros.", 1.0, 1.0),
    ],
)
def test_stale_and_leaked_values_are_found_whole(text: str, stale: float, leaked: float) -> None:
    assert StaleRate().score(sample(tags={"stale": "40 euros"}), prediction(text), {}).value == stale
    assert LeakRate().score(sample(None, tags={"secret": "40 euros"}), prediction(text), {}).value == leaked
    assert StaleRate().score(sample(), prediction(text), {}).value is None
    assert LeakRate().score(sample(), prediction(text), {}).value is None


def test_retrieval_leaks_where_it_finds_what_is_forbidden() -> None:
    asked = sample(None, tags={"forbidden": "CTR-1"})
    leaky = prediction("x", retrieved=("a", "b"), retrieved_documents=("PLN-1", "CTR-1"))
    tight = prediction("x", retrieved=("a",), retrieved_documents=("PLN-1",))
    empty = prediction("x", timings={"search": 0.1})
    assert [RetrievalLeakRate().score(asked, one, {}).value for one in (leaky, tight, empty)] == [1.0, 0.0, 0.0]
    assert RetrievalLeakRate().score(asked, prediction("x"), {}).value is None
