"""The words of the headline against summaries whose right words are plain."""

from __future__ import annotations

from bench.reporting import claims, facts
from bench.reporting.numbers import SPACE
from bench.reporting.verdicts import verdict
from tests.reporting.summaries import comparison, pairs, summary


def headline(*args: object, **more: object) -> str:
    return claims.headline(summary(*args, **more)).replace(SPACE, " ")  # type: ignore[arg-type]


def test_a_system_shown_above_all_others_is_called_best_with_its_lead_over_the_next() -> None:
    told = headline({"prompt": 0.69, "rag": 0.7, "hybrid": 0.81}, pairs("prompt-hybrid", "rag-hybrid"))
    assert told == "On these tasks, hybrid answers best: 81 % accuracy (76–86), 11 points above rag, the next best."


def test_a_leader_not_shown_above_all_is_not_called_best() -> None:
    told = headline({"prompt": 0.4, "rag": 0.78, "hybrid": 0.81}, pairs("prompt-hybrid", "prompt-rag"))
    assert told == (
        "On these tasks, hybrid scores highest, 81 % accuracy (76–86): "
        "above prompt by 41 points, but not shown above rag."
    )


def test_a_partial_run_ranks_nothing() -> None:
    told = {**summary({"prompt": 0.4, "hybrid": 0.97}, pairs("prompt-hybrid")), "planned": 2000, "completed": 1603}
    said = "A partial run, 1,603 of 2,000 answers: nothing is claimed of it, and the same command goes on."
    assert claims.headline(told) == said
    assert claims.details(told) == []


def test_without_a_significant_pair_the_headline_says_what_would_have_been_seen() -> None:
    told = headline({"prompt": 0.6, "rag": 0.9}, set())
    assert told == (
        "No difference in accuracy was shown between the systems; "
        "one test at 5 % would have found a difference of 12 points or more in 80 % of such runs."
    )


def test_a_pair_apart_from_the_leader_makes_nobody_best() -> None:
    told = headline({"prompt": 0.5, "rag": 0.7, "hybrid": 0.71}, pairs("prompt-rag"))
    assert told.startswith("No system was shown to answer best; hybrid scores highest")


def test_no_test_no_claim() -> None:
    untested = summary({"prompt": 0.1, "rag": 0.9}, set()) | {"comparisons": []}
    assert (
        claims.headline(untested)
        == "No systems were compared in accuracy over the whole suite, so none is called best."
    )
    assert claims.details(untested) == []


def test_one_system_alone() -> None:
    assert headline({"rag": 0.5}, set()) == "One system was run: rag reaches 50 % (45–55) accuracy."


def test_the_direction_of_a_comparison_does_not_matter() -> None:
    made = summary({"hybrid": 0.81, "prompt": 0.6}, pairs("hybrid-prompt"))
    turned = made | {"comparisons": [comparison("prompt", "hybrid", -0.21, 0.01)]}
    assert claims.headline(made) == claims.headline(turned)
    assert "21" in claims.headline(turned)


def test_a_significant_difference_against_the_leader_is_never_turned_into_one_for_it() -> None:
    made = summary({"hybrid": 0.81, "prompt": 0.6}, set()) | {
        "comparisons": [comparison("hybrid", "prompt", -0.21, 0.01)]
    }
    assert "best:" not in claims.headline(made)


def test_lower_is_better_where_it_is() -> None:
    made = summary({"prompt": 0.3, "rag": 0.1}, pairs("prompt-rag"), measure="hallucination_rate")
    measured = {name: entry["measures"] for name, entry in made["systems"].items()}
    told = verdict(measured, made["comparisons"], "hallucination_rate")
    assert told is not None
    assert told.best == "rag"
    assert round(told.beaten[0].difference, 9) == 0.2
    (sentence,) = claims.details(made)
    assert sentence.startswith("Hallucination rate is lowest for rag, 10")


def test_money_is_compared_per_thousand_like_it_is_shown() -> None:
    made = summary({"prompt": 0.003, "rag": 0.001}, pairs("prompt-rag"), measure="cost_per_call")
    measured = {name: entry["measures"] for name, entry in made["systems"].items()}
    told = verdict(measured, made["comparisons"], "cost_per_call")
    assert told is not None
    assert (told.best, round(told.estimate["estimate"], 9), round(told.beaten[0].difference, 9)) == ("rag", 1.0, 2.0)


def test_a_measure_without_a_direction_has_no_best() -> None:
    made = summary({"prompt": 0.3, "rag": 0.1}, pairs("prompt-rag"), measure="tokens_out")
    measured = {name: entry["measures"] for name, entry in made["systems"].items()}
    assert verdict(measured, made["comparisons"], "tokens_out") is None


def test_tasks_are_won_by_their_own_tests() -> None:
    made = summary({"prompt": 0.3, "rag": 0.6}, set())
    made["comparisons"].append(comparison("rag", "prompt", 0.3, 0.001, task="facts"))
    assert claims.task_wins(made) == {"rag": ["facts"]}


def test_warnings_come_first_and_say_what_is_wrong() -> None:
    control = {"recalled": 46, "of": 100, "share": 0.46, "low": 0.36, "high": 0.56}
    made = summary(
        {"rag": 0.5}, set(), model="pocket", positive_control=control, findings=[{"level": "note", "text": "overlap"}]
    )
    made["planned"] = 12
    notes = facts.notes(made)
    assert [note.level for note in notes] == ["warning", "warning", "warning", "note"]
    assert "stand-in" in notes[0].text
    made_up = facts.notes(made | {"run": made["run"] | {"engine": "stub"}})
    assert made_up[0].text.startswith("No model answered in this run")
    assert "10 of 12" in notes[1].text
    assert "46 of 100" in notes[2].text
    assert "uninformative" in notes[2].text


def test_a_large_model_and_a_passed_control_warn_of_nothing() -> None:
    made = summary({"rag": 0.5}, set(), positive_control={"recalled": 8, "of": 10, "share": 0.8})
    assert [note.level for note in facts.notes(made)] == ["note"]


def test_an_adapter_that_changes_nothing_is_warned_of() -> None:
    made = summary({"rag": 0.5}, set(), adapter_proof={"different": 0, "of": 60})
    assert [note.level for note in facts.notes(made)] == ["warning"]
    made = summary({"rag": 0.5}, set(), adapter_proof={"different": 58, "of": 60})
    assert facts.notes(made) == []


def test_a_suite_of_one_task_is_judged_by_that_task() -> None:
    made = summary({"prompt": 0.3, "rag": 0.6}, set())
    made["comparisons"] = [comparison("rag", "prompt", 0.3, 0.001, task="facts")]
    assert claims.headline(made).startswith("On these tasks, rag answers best")
