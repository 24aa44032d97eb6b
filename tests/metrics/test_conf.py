"""Every metric's YAML builds what its file is called, and every measure of the summary has one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

import conf
from tests.metrics.making import prediction, sample

FILES = sorted((Path(conf.__file__).parent / "metric").glob("*.yaml"))

QUALITY = {
    *("accuracy", "exact_match", "token_f1", "macro_f1", "format_adherence", "format_repaired"),
    *("hallucination_rate", "hallucination_rate_attempted", "unfaithful_rate"),
    *("abstention_recall", "false_refusal_rate", "citation_precision", "citation_recall"),
    *("recall_at_1", "recall_at_5", "recall_at_10", "success_at_5", "ndcg_at_10", "mrr"),
}
"""The measures of quality that summary.schema.json names."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_builds_the_metric_it_is_named_after(path: Path) -> None:
    metric = instantiate(OmegaConf.load(path), _convert_="all")
    assert metric.name == path.stem
    assert metric.unit in ("share", "mean")
    assert isinstance(metric.higher_is_better, bool)
    value = metric.score(sample(), prediction("42"), {}).value
    assert value is None or 0 <= value <= 1
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_every_measure_of_the_summary_has_a_file() -> None:
    assert {path.stem for path in FILES} >= QUALITY
