"""What a report may say: a difference is put into words only where a Holm-adjusted paired test shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.reporting import numbers
from bench.reporting.measures import measure, primary, quoted
from bench.reporting.verdicts import Gap, Verdict, task_names, verdict

SECONDARY = ("format_adherence", "hallucination_rate", "unfaithful_rate")


def headline(summary: Mapping[str, Any]) -> str:
    """One sentence on the run's primary measure, in plain words. Of a partial run nothing is ranked."""
    measured = {system: entry["measures"] for system, entry in summary["systems"].items()}
    name = primary(*measured.values())
    if name is None or not any(quoted(measures, name) for measures in measured.values()):
        return "No quality measure was taken in this run."
    if _partial(summary):
        of = f"{summary['completed']:,} of {summary['planned']:,} answers"
        return f"A partial run, {of}: nothing is claimed of it, and the same command goes on."
    word = measure(name).label
    told = verdict(measured, summary["comparisons"], name)
    if told is None:
        return _untested(summary, measured, name, word)
    value = f"{numbers.value(told.estimate)} {word} ({numbers.interval(told.estimate)})"
    if told.best:
        nearest = min(told.beaten, key=lambda gap: gap.difference)
        ahead = f"{numbers.difference(nearest.difference, told.unit, sign=False)} above {nearest.other}"
        rest = ", the next best" if len(told.beaten) > 1 else ""
        return f"On these tasks, {told.best} answers best: {value}, {ahead}{rest}."
    if told.beaten:
        above = _and(
            [f"{gap.other} by {numbers.difference(gap.difference, told.unit, sign=False)}" for gap in told.beaten]
        )
        level = _and([gap.other for gap in told.level])
        return f"On these tasks, {told.leader} scores highest, {value}: above {above}, but not shown above {level}."
    if told.any_shown:
        return f"No system was shown to answer best; {told.leader} scores highest, {value}."
    return f"No difference in {word} was shown between the systems{_would(told.mde, told.unit)}."


def _partial(summary: Mapping[str, Any]) -> bool:
    """Whether systems may have been asked unlike questions: one that was not asked the hard ones leads for that."""
    return bool(summary["completed"] < summary["planned"])


def _untested(summary: Mapping[str, Any], measured: Mapping[str, Mapping[str, Any]], name: str, word: str) -> str:
    found = {system: quoted(measures, name) for system, measures in measured.items()}
    if len(found) == 1:
        system, estimate = next(iter(found.items()))
        return f"One system was run: {system} reaches {numbers.with_interval(estimate)} {word}."
    wins = task_wins(summary)
    if wins:
        return (
            "Over the whole suite no systems were compared; by task, "
            + _and([f"{system} is shown best on {', '.join(tasks)}" for system, tasks in wins.items()])
            + "."
        )
    return f"No systems were compared in {word} over the whole suite, so none is called best."


def details(summary: Mapping[str, Any]) -> list[str]:
    """Further sentences: the leader against each other system, then format and hallucination."""
    if _partial(summary):
        return []
    measured = {system: entry["measures"] for system, entry in summary["systems"].items()}
    name = primary(*measured.values())
    sentences = []
    told = verdict(measured, summary["comparisons"], name) if name else None
    if told and told.beaten:
        gaps = [
            f"{numbers.difference(g.difference, told.unit, sign=False)} above {g.other}{_ends(g, told.unit)}"
            for g in sorted(told.beaten, key=lambda g: g.difference)
        ]
        sentences.append(f"In {measure(told.measure).label}, {told.leader} is {_and(gaps)}.")
    if told and told.beaten and told.level:
        sentences.append(_undecided(told))
    sentences += [
        s for other in SECONDARY if other != name and (s := _secondary(measured, summary["comparisons"], other))
    ]
    if told and (wins := task_wins(summary)):
        sentences.append(
            "By task, " + _and([f"{system} is shown best on {_and(tasks)}" for system, tasks in wins.items()]) + "."
        )
    return sentences


def _secondary(
    measured: Mapping[str, Mapping[str, Any]], comparisons: Sequence[Mapping[str, Any]], name: str
) -> str | None:
    told = verdict(measured, comparisons, name)
    if told is None:
        return None
    word, value = measure(name).label, numbers.with_interval(told.estimate)
    word += " (secondary)" if told.estimate.get("secondary") else ""
    end = "highest" if measure(name).better == "higher" else "lowest"
    side = "above" if end == "highest" else "below"
    if told.best:
        return f"{word.capitalize()} is {end} for {told.leader}, {value}, {side} every other system."
    if told.beaten:
        others = _and([gap.other for gap in told.beaten])
        return f"{word.capitalize()} is {end} for {told.leader}, {value}: {side} {others}. {_undecided(told)}"
    if told.any_shown:
        return f"No system was shown to have the {end} {word}."
    return f"No difference in {word} was shown{_would(told.mde, told.unit)}."


def _ends(gap: Gap, unit: str) -> str:
    if gap.low is None or gap.high is None:
        return ""
    return f" ({numbers.difference_interval(gap.low, gap.high, unit, sign=False)})"


def _undecided(told: Verdict) -> str:
    known = [gap.mde for gap in told.level if gap.mde is not None]
    widest = max(known) if known and len(known) == len(told.level) else None
    return f"No difference from {_and([gap.other for gap in told.level], 'or')} was shown{_would(widest, told.unit)}."


def _would(mde: float | None, unit: str) -> str:
    if mde is None:
        return ""
    least = numbers.difference(mde, unit, sign=False)
    return f"; one test at 5 % would have found a difference of {least} or more in 80 % of such runs"


def task_wins(summary: Mapping[str, Any]) -> dict[str, list[str]]:
    """System to the tasks it is shown best on, by each task's primary measure."""
    wins: dict[str, list[str]] = {}
    for task in task_names(summary):
        measured = {system: entry["tasks"].get(task, {}) for system, entry in summary["systems"].items()}
        name = primary(*measured.values())
        told = verdict(measured, summary["comparisons"], name, task) if name else None
        if told and told.best:
            wins.setdefault(told.best, []).append(task)
    return wins


def _and(parts: Sequence[str], word: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}" if parts else ""
