"""Entailment models through one interface, with small stand-ins made here: a pair and a token classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    PreTrainedTokenizerFast,
)

from bench.detectors.base import Case
from bench.detectors.entailment import Entailment
from bench.records import Prediction, Sample
from systems.base import Chunk, Failure, Query, UserError

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "fee", "is", "ten", "twelve", "euros", "the", ".", "page", "says", "so")


def tokenizer() -> PreTrainedTokenizerFast:
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
                                   sep_token="[SEP]")  # fmt: skip


def stand_in(kind: Any, path: Path, labels: int = 2) -> str:
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                        intermediate_size=16, num_labels=labels, max_position_embeddings=64)  # fmt: skip
    kind(config).save_pretrained(path)
    tokenizer().save_pretrained(path)
    return str(path)


def case(text: str, *passages: str, error: str | None = None) -> Case:
    shown = tuple(Chunk(id=str(n), text=passage) for n, passage in enumerate(passages))
    sample = Sample(id="1", task="t", query=Query(text="q"), reference="ten euros")
    return Case(sample, Prediction(system="s", task="t", sample="1", text=text, error=error), shown)


def test_the_worst_sentence_is_the_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Entailment(model=stand_in(BertForSequenceClassification, tmp_path), kind="pair")
    asked: list[tuple[str, str]] = []

    def chances(self: Entailment, pairs: list[tuple[str, str]]) -> list[float]:
        asked.extend(pairs)
        return [0.9 if "ten" in hypothesis and "ten" in premise else 0.2 for premise, hypothesis in pairs]

    monkeypatch.setattr(Entailment, "_supported", chances)
    [(_, verdict)] = detector.judge_all([case("The fee is ten. The page says so.", "fee is ten", "page")])
    assert verdict is not None
    assert (verdict["unfaithful"], verdict["score"]) == (True, pytest.approx(0.8))
    assert verdict["unsupported"] == ["The page says so."]
    assert verdict["supports"] == [True, False]
    assert asked[0] == ("fee is ten\npage", "The fee is ten.")


def test_a_pair_classifier_gives_chances(tmp_path: Path) -> None:
    path = stand_in(BertForSequenceClassification, tmp_path)
    detector, turned = (Entailment(model=path, kind="pair", supported_label=label) for label in (1, 0))
    pairs = [("fee is ten euros", "fee is ten"), ("the page", "fee is twelve")]
    first, second = detector._supported(pairs), turned._supported(pairs)
    assert first == pytest.approx([1 - chance for chance in second])
    assert len(set(first)) == 2


def test_long_passages_are_read_in_windows(tmp_path: Path) -> None:
    """What stands at the end of a passage longer than the model is found as if it stood alone."""
    detector = Entailment(model=stand_in(BertForSequenceClassification, tmp_path), kind="pair", max_tokens=32, batch=2)
    long = "the page says so . " * 20 + "fee is ten euros"
    windows = detector._windows(long, "fee is ten")
    assert windows[0] != long
    assert windows[-1].endswith("fee is ten euros")
    whole = " ".join(windows)
    assert all(word in whole for word in long.split())
    [chance] = detector._supported([(long, "fee is ten")])
    assert chance == pytest.approx(max(detector._supported([(window, "fee is ten") for window in windows])))


def test_a_token_classifier_marks_what_is_made_up(tmp_path: Path) -> None:
    detector = Entailment(model=stand_in(BertForTokenClassification, tmp_path), kind="token", max_tokens=64)
    found = dict(detector.judge_all([case("fee is ten", "fee is ten euros"), case("I don't know.", "fee")]))
    first, second = found[0], found[1]
    assert first is not None
    assert second is not None
    assert 0 < first["score"] < 1
    assert first["unfaithful"] is (first["score"] >= 0.5)
    assert second["asserted"] == 0


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="must be pair, token or predict"):
        Entailment(model="m", kind="other")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="trust_remote_code=true"):
        Entailment(model="vectara/hallucination_evaluation_model", kind="predict")
    with pytest.raises(Failure, match="could not be loaded"):
        list(Entailment(model=str(tmp_path / "none"), kind="pair").judge_all([case("fee", "fee")]))
    path = stand_in(BertForSequenceClassification, tmp_path)
    with pytest.raises(UserError, match="supported_label=5: the model has 2"):
        list(Entailment(model=path, kind="pair", supported_label=5).judge_all([case("fee", "fee")]))
