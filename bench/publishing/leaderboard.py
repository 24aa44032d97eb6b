"""The leaderboard: ``results/README.md`` and ``results/leaderboard.html``, made of the published files alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.journal import write_atomically
from bench.publishing.board import Entry, entries
from bench.publishing.meanings import meanings
from bench.publishing.publication import publications
from bench.reporting import page

TEMPLATES = Path(__file__).with_name("template")
PAGE, TEXT = "leaderboard.html", "README.md"
HOW = (
    "Intervals are at 95 %, over samples; samples that share a source are drawn together, and one sample's answers "
    "under several seeds count as one cluster. “best” marks a system that is shown better than every other, paired on "
    "the same samples, after Holm. Seeds are shown as points: three carry no interval worth the name."
)


def write_leaderboard(results: Path) -> None:
    """Write both anew."""
    for name, text in rendered(results).items():
        write_atomically(results / name, text)


def rendered(results: Path) -> dict[str, str]:
    """File → its text."""
    found = entries(results)
    meant = meanings({name for one in publications(results) for name in one.claim.margins})
    return {TEXT: "\n".join(_markdown(found, meant)) + "\n", PAGE: _html(found, meant)}


def _html(found: Sequence[Entry], meant: Sequence[tuple[str, str]]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, page.TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup  # of bench.reporting.svg, which escapes its texts
    css = [(page.TEMPLATES / "report.css"), (TEMPLATES / "leaderboard.css")]
    return environment.get_template("leaderboard.html").render(
        css=Markup("\n".join(file.read_text(encoding="utf-8") for file in css)),
        entries=found,
        meanings=meant,
        how=HOW,
    )


def _markdown(found: Sequence[Entry], meant: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield "<!-- Written by `bench publish` out of published/; edits are lost. -->"
    yield "# Results\n"
    yield "What is published here anybody can make again: `bench reproduce NAME` builds, runs and compares, measure by"
    yield "measure, within the margins of the published file. As a page: [leaderboard.html](leaderboard.html).\n"
    yield from _table(["name", "what", "", "to make it again"], [_line(one) for one in found])
    for one in found:
        yield f"\n## {one.title}\n"
        yield f"**{one.mark}**. {one.about}\n"
        if one.warning:
            yield f"{one.warning}\n"
        if one.run:
            yield from _table(["measure", *one.systems], _rows(one))
            yield ""
        if one.held:
            head = ["system", "measure", "published elsewhere", "here", "margin", "source"]
            yield from _table(head, [[h.system, h.measure, h.theirs, h.ours, h.margin, h.source] for h in one.held])
            yield ""
        if one.by_seed:
            head = ["measure", "system", *(f"seed {seed}" for seed in one.seeds)]
            yield from _table(head, one.by_seed)
            yield ""
        yield from (f"- {name}: {text}" for name, text in one.facts)
    yield "\n## What the numbers mean\n"
    yield from (f"- **{label}**: {text}" for label, text in meant)
    yield f"\n{HOW}\n"
    yield "`runs/` beside this file holds your own runs (not in git), `builds/` the indexes and adapters they share."


def _line(one: Entry) -> list[str]:
    return [f"[{one.name}](published/{one.name})", one.title, one.mark, f"`{one.command}`"]


def _rows(one: Entry) -> list[list[str]]:
    found = []
    for group in one.groups:
        for row in group.rows:
            better = " (lower is better)" if row.better == "lower" else ""
            cells = [
                f"{'**' if cell.best else ''}{cell.value}{'**' if cell.best else ''}"
                f"{f' ({cell.interval})' if cell.interval else ''}"
                for cell in row.cells
            ]
            found.append([f"{row.label}{better}", *cells])
    return found


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
