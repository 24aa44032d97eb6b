"""The leaderboard is what the published files give, and each of those is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.aggregate import estimates
from bench.assembly import Assembly
from bench.config import compose
from bench.publishing.again import configs, differences
from bench.publishing.claim import Claim, Figure, read_claim, write_claim
from bench.publishing.leaderboard import rendered, write_leaderboard
from bench.publishing.publication import Publication, publications
from bench.workspace import HASHED
from systems.base import UserError
from tests.calling import ROOT, call
from tests.metrics.making import public_data
from tests.publishing.making import published, tiny_run

RESULTS = ROOT / "results"
ALL = list(publications(RESULTS))
EXPECTED = {
    "medmcqa": (0.568, 0.629, 0.670, 0.711),
    "popqa_long_tail": (0.170, 0.218, 0.761, 0.821),
    "current_events": (0.481, 0.504, 0.875, 0.810),
}
"""Figures of others: prompt, finetuned, rag, hybrid."""
SAMPLES = {"medmcqa": {1000}, "popqa_long_tail": {None}, "current_events": {910}}
"""Of how many questions they are; of PopQA's nobody looked it up."""


@pytest.mark.parametrize("name", ["README.md", "leaderboard.html"])
def test_the_leaderboard_is_what_the_published_files_give(name: str) -> None:
    assert rendered(RESULTS)[name] == (RESULTS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("one", ALL, ids=[one.name for one in ALL])
def test_every_publication_is_whole_and_names_an_experiment(one: Publication) -> None:
    one.check()
    assert compose([f"experiment={one.claim.experiment}"]).name == one.claim.experiment
    assert one.claim.quality
    assert set(one.metrics) == set(one.claim.quality)


@pytest.mark.parametrize("one", [one for one in ALL if one.run], ids=lambda one: one.name)
def test_the_published_summary_is_what_the_published_scores_give(one: Publication) -> None:
    scores = one.scores()
    again = estimates(scores.samples, scores.predictions, scores.scores, scores.metrics)
    for system, entry in one.summary["systems"].items():
        for name, estimate in entry["measures"].items():
            found = again[system].measures[name]
            assert (found.n, found.estimate) == (estimate["n"], pytest.approx(estimate["estimate"], abs=1e-9))
    assert [run["seed"] for run in one.runs.values()] == one.seeds
    assert {run["dirty"] for run in one.runs.values()} == {False}


@pytest.mark.parametrize("name", EXPECTED)
def test_grids_of_others_stand_there_with_their_figures_and_are_marked(name: str) -> None:
    claim = read_claim(RESULTS / "published" / name)
    cells = ("prompt", "finetuned", "rag", "hybrid")
    assert {one.system: one.value for one in claim.figures} == dict(zip(cells, EXPECTED[name], strict=True))
    assert all(one.source for one in claim.figures)
    assert {one.n for one in claim.figures} == SAMPLES[name]
    assert (Publication(RESULTS / "published" / name).run, claim.seeds) == (False, (0, 1, 2))
    needed = next(iter(claim.needs))
    said = call("reproduce", name, f"results={RESULTS}").one_line(2)
    assert said.startswith(f"bench reproduce: {name}: needs {needed}=...: ")


def test_scifact_stands_beside_the_figures_of_beir() -> None:
    claim = read_claim(RESULTS / "published" / "scifact")
    assert [(one.system, one.value) for one in claim.figures] == [("bm25", 0.665), ("bm25", 0.679), ("dense", 0.645)]
    assert all(one.measure == "ndcg_at_10" and one.same_samples and one.n == 300 for one in claim.figures)


def test_scifact_was_published_over_the_data_that_is_here() -> None:
    folder = public_data("scifact")
    publication = Publication(RESULTS / "published" / "scifact")
    [(seed, config)] = configs(publication, [0], [f"suite.path={folder}"]).items()
    found = differences(publication, Assembly(config), seed)
    assert found.fatal == []
    assert not [note for note in found.told if note.startswith("other settings")]
    assert publication.runs[0]["contents"].get("hashed") in (None, HASHED)


@pytest.mark.parametrize("file", [file for one in ALL for file in one.place.glob("*.[jy]*")], ids=str)
def test_no_place_of_a_machine_is_published(file: Path) -> None:
    assert (
        re.findall(r"(?<![\w/.])/(?:home|root|tmp|var|mnt|scratch|Users)/\S*", file.read_text(encoding="utf-8")) == []
    )


@pytest.fixture(scope="module")
def board(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of a tiny run, and a claim that is not yet run, whose texts are meant to break out."""
    place = tmp_path_factory.mktemp("board")
    runs = {seed: tiny_run(tiny_model, place / f"run-{seed}", f"seed={seed}", "load.blocks=8") for seed in (0, 1)}
    published(place / "results" / "published" / "tiny", runs)
    evil = "<script>window.taken = 1</script> | **bold**"
    figure = Figure(system="rag", measure="accuracy", value=0.5, margin=0.06, n=10, source=evil)
    claim = Claim(title=evil, about=evil, experiment="pocket", margins={"accuracy": 0.05}, figures=(figure,))
    later = place / "results" / "published" / "later"
    later.mkdir()
    write_claim(later, claim)
    (later.parent / ".tiny.1.part").mkdir()  # of a publication that was killed
    write_leaderboard(place / "results")
    return place / "results"


def test_numbers_intervals_seeds_and_marks_stand_there(board: Path) -> None:
    text = (board / "README.md").read_text(encoding="utf-8")
    assert "**published by us on CPU**" in text
    assert "the stub made these answers up" in text
    assert "**not yet run**" in text
    assert "| [tiny](published/tiny) | tiny | published by us on CPU | `bench reproduce tiny model.path=...` |" in text
    accuracy = next(line for line in text.splitlines() if line.startswith("| accuracy |"))
    assert re.fullmatch(r"\| accuracy \| 20\xa0% \(\d+–\d+\) \| 20\xa0% \(\d+–\d+\) \|", accuracy)
    assert "| accuracy | rag | 20\xa0% | 20\xa0% |" in text
    assert "| measure | system | seed 0 | seed 1 |" in text
    assert "- **accuracy**: share of answers that are right" in text


def test_what_is_written_in_a_claim_stays_text(board: Path) -> None:
    page = (board / "leaderboard.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;window.taken" in page
    assert "default-src 'none'" in page
    assert r"\| \*\*bold" in (board / "README.md").read_text() or r"\| **bold" in (board / "README.md").read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("status: published", "got an unexpected keyword argument 'status'"),
        ("margins: {acuracy: 0.05}", "metric acuracy: no such metric; there are: "),
        ("margins: {macro_f1: 0.05}", "margin of macro_f1: is no mean over samples"),
        ("margins: {latency_e2e_p5o: 0.25}", "margin of latency_e2e_p5o: no such measure of latency, throughput or"),
        ("figures: [{system: a, measure: acuracy, value: 0.5, margin: 0.1, source: b}]", "metric acuracy: no such"),
        (
            "figures: [{system: a, measure: accuracy, value: 50, margin: 0.1, source: b}]",
            "figure of a, accuracy: value: 50: must lie in its interval, or in 0 to 1",
        ),
        (
            "figures: [{system: a, measure: accuracy, value: 0.5, margin: 0.1, source: b, n: 0}]",
            "figure of a, accuracy: n: 0: must be a number of samples, or null",
        ),
        ("margins: {accuracy: 0}", "margin of accuracy: 0: must be above 0"),
        ("margins: {accuracy: wide}", "margin of accuracy: wide: must be above 0"),
        ("margins: [accuracy]", "margins: must be a mapping"),
        ("seeds: few", "seeds: few: must be a list of whole numbers"),
        ("colour: red", "got an unexpected keyword argument 'colour'"),
        ("title: [", "while parsing a flow"),
    ],
)
def test_a_claim_with_a_mistake_is_one_line(change: str, said: str, tmp_path: Path) -> None:
    settings = {"title": "t", "about": "a", "experiment": "e", "seeds": "[0]"}
    settings.pop(change.partition(":")[0], None)
    text = "\n".join([*(f"{key}: {value}" for key, value in settings.items()), change])
    (tmp_path / "published.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_claim(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'published.yaml'}: {said}")
    assert "\n" not in str(caught.value)
