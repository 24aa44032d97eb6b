"""Entailment models as detectors: each sentence of an answer has to follow from the passages shown.

Three kinds of published models, each through transformers: a pair classifier (MiniCheck's RoBERTa, or any NLI model),
a token classifier that marks what is made up (LettuceDetect), and a checkpoint with its own ``predict`` (HHEM-2.1-Open,
whose code runs only where ``trust_remote_code`` is set).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from bench.detectors.base import Accountable, Case, Verdict, faithfulness_verdict, unjudged
from bench.metrics.outcome import attempted
from bench.metrics.text import plain
from systems.base import Chunk, Failure, UserError
from systems.knowledge.spans import sentence_spans

Kind = Literal["pair", "token", "predict"]


@dataclass(frozen=True, kw_only=True)
class Entailment(Accountable):
    """Scores are chances of being unsupported, 0 to 1; the worst sentence is the answer's."""

    model: str
    """Hub id or directory."""
    kind: Kind
    revision: str | None = None
    supported_label: int = 1
    """Index of the class that means entailed (``pair``), or made up (``token``)."""
    threshold: float = 0.5
    max_tokens: int = 512
    """Of premise and hypothesis together; longer passages are read in overlapping windows and the best one counts."""
    batch: int = 16
    device: str = "auto"
    trust_remote_code: bool = False
    name: str = "entailment"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in ("pair", "token", "predict"):
            raise UserError(f"detector.kind={self.kind}: must be pair, token or predict")
        if self.kind == "predict" and not self.trust_remote_code:
            raise UserError(
                f"detector.model={self.model}: brings its own code; read it, then set detector.trust_remote_code=true"
            )

    @property
    def identity(self) -> str:
        return f"{self.model}@{self.revision}-{self.kind}-{self.supported_label}-{self.threshold}-{self.max_tokens}"

    def judge_all(self, cases: Iterable[Case]) -> Iterator[tuple[int, Verdict | None]]:
        for at, case in enumerate(cases):
            judged = case.shown and attempted(case.prediction)
            yield at, self._verdict(plain(case.prediction.text), case.shown) if judged else self._unjudged(case)

    def _unjudged(self, case: Case) -> Verdict:
        """As for any detector, but that pairs are also judged passage by passage."""
        supports = None if self.kind == "token" else [False] * len(case.shown)
        return {**unjudged(case), "supports": supports}

    def _verdict(self, answer: str, shown: Sequence[Chunk]) -> Verdict:
        texts = [f"{chunk.title}: {chunk.text}" if chunk.title else chunk.text for chunk in shown]
        whole = "\n".join(texts)
        if self.kind == "token":
            score = self._made_up(whole, answer)
            return faithfulness_verdict(score >= self.threshold, score, shown)
        sentences = [answer[span.start : span.end].strip() for span in sentence_spans(answer, 10_000)]
        sentences = [sentence for sentence in sentences if any(map(str.isalnum, sentence))] or [answer]
        by_sentence = self._supported([(whole, sentence) for sentence in sentences])
        by_passage = self._supported([(text, answer) for text in texts])
        score = 1 - min(by_sentence)
        supports = [chance > 1 - self.threshold for chance in by_passage]
        worst = sentences[by_sentence.index(min(by_sentence))]
        return faithfulness_verdict(score >= self.threshold, score, shown, supports, unsupported=[worst])

    def _supported(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Chance of each hypothesis being entailed by its premise."""
        import torch

        if self.kind == "predict":
            return [float(one) for one in self._parts[1].predict(list(pairs))]
        tokenizer, model = self._parts
        found = []
        for premise, hypothesis in pairs:
            windows = self._windows(premise, hypothesis)
            chances: list[float] = []
            for start in range(0, len(windows), self.batch):
                part = windows[start : start + self.batch]
                inputs = tokenizer(part, [hypothesis] * len(part), truncation="only_first", max_length=self.max_tokens,
                                   padding=True, return_tensors="pt").to(model.device)  # fmt: skip
                with torch.inference_mode():
                    logits = model(**inputs).logits.float()
                # Models with one output give it as a logit of being entailed.
                chance = logits.softmax(-1)[:, self.supported_label] if logits.shape[-1] > 1 else logits[:, 0].sigmoid()
                chances += chance.tolist()
            found.append(max(chances))
        return found

    def _windows(self, premise: str, hypothesis: str) -> list[str]:
        """The premise in pieces that fit beside the hypothesis; each begins in the middle of the one before."""
        tokenizer = self._parts[0]
        spans = tokenizer(premise, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        room = self.max_tokens - len(tokenizer(hypothesis, add_special_tokens=False)["input_ids"]) - 4
        if room < 16:
            raise UserError(f"detector.max_tokens={self.max_tokens}: leaves no room beside an answer of this length")
        if len(spans) <= room:
            return [premise]
        starts = range(0, len(spans) - room // 2, room // 2)
        return [premise[spans[at][0] : spans[min(at + room, len(spans)) - 1][1]] for at in starts]

    def _made_up(self, premise: str, answer: str) -> float:
        """The highest chance of a token of the answer being made up; in the window that bears it out best."""
        import torch

        tokenizer, model = self._parts
        found = []
        for window in self._windows(premise, answer):
            inputs = tokenizer(window, answer, truncation="only_first", max_length=self.max_tokens, return_tensors="pt")
            mine = torch.tensor([part == 1 for part in inputs.sequence_ids(0)])
            with torch.inference_mode():
                logits = model(**inputs.to(model.device)).logits[0].float().cpu()
            found.append(logits.softmax(-1)[mine, self.supported_label])
        # A token counts as made up only where no window bears it out.
        return float(torch.stack(found).min(dim=0).values.max())

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        """Tokenizer and model; loaded once."""
        import torch
        from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if self.device == "auto" else self.device
        kind = AutoModelForTokenClassification if self.kind == "token" else AutoModelForSequenceClassification
        options = {"revision": self.revision, "trust_remote_code": self.trust_remote_code}
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.model, **options) if self.kind != "predict" else None
            model = kind.from_pretrained(self.model, **options).eval().to(chosen)
        except (OSError, ValueError) as error:
            words = str(error).strip().splitlines()[0]
            raise Failure(f"detector.model={self.model}: could not be loaded: {words}") from error
        if self.kind != "predict" and self.supported_label >= model.config.num_labels > 1:
            raise UserError(f"detector.supported_label={self.supported_label}: the model has {model.config.num_labels}")
        return tokenizer, model
