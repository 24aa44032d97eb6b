"""One lm-eval task on every system: its prompts, its scoring, its few-shot examples; retrieval goes before them."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bench.canonical import key
from bench.records import Prediction, Sample
from bench.tasks.base import Lesson, always
from bench.tasks.lm_eval.calls import as_turns, calls
from systems.base import Call, Likelihood, Query, UserError

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance
    from lm_eval.api.task import ConfigurableTask

FEWSHOT_SEED = 1234
"""lm-eval's own."""
RIGHT = ("acc", "exact_match", "em", "contains")
"""Measures that say of one answer whether it is right; the first that a task has stands for accuracy."""


@dataclass(frozen=True)
class Doc:
    """A document of lm-eval's (a question with its answer), and the requests made of it."""

    id: str
    content: dict[str, Any]
    instances: tuple[Instance, ...]


@dataclass(frozen=True, kw_only=True)
class LmEvalTask:
    """``task`` is lm-eval's own object; prompts and scores are made by it."""

    task: ConfigurableTask
    num_fewshot: int | None = None
    """Examples in the prompt; ``None``: as many as the task says."""
    chat_template: bool = False
    """Prompts as turns for the model's chat template, and not as raw text."""
    fewshot_as_multiturn: bool = False
    search: str | None = None
    """Field of the document, or template over its fields, that retrieval searches for; ``None``: the question."""
    relevant: str | None = None
    """Field of the document with the ids of the corpus documents that hold the answer."""
    lesson: str | None = None
    """Field of the document, or template over its fields, that tuning learns to answer; ``None``: the right
    continuation alone."""
    max_tokens: int | None = None
    limit: int | None = None
    train_limit: int | None = None

    judge: str = "lm_eval"
    """Name of its verdicts, and family of its metrics."""

    def __post_init__(self) -> None:
        if self.num_fewshot is not None:
            self.task.set_config(key="num_fewshot", value=self.num_fewshot)
        elif self.task.get_config("num_fewshot") is None:
            self.task.set_config(key="num_fewshot", value=0)
        if not self.measures:
            raise UserError(f"lm-eval task {self.name}: none of its measures is a mean over samples")

    @property
    def name(self) -> str:
        return str(self.task.task_name)

    @cached_property
    def measures(self) -> dict[str, bool]:
        """Its measures that are means over samples → whether more is better."""
        directions = self.task.higher_is_better()
        aggregations = self.task.aggregation()
        return {
            name: bool(directions.get(name, True))
            for name, fold in aggregations.items()
            if getattr(fold, "__name__", "") in ("mean", "nanmean")
        }

    @property
    def left_out(self) -> tuple[str, ...]:
        """Its measures that are no mean, as a perplexity or a correlation: they have no value per sample."""
        return tuple(name for name in self.task.aggregation() if name not in self.measures)

    @cached_property
    def _filters(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.task._filters)

    def _named(self, measure: str, filtered: str) -> str:
        """With several filters, each of them has its own value."""
        return measure if len(self._filters) == 1 else f"{measure},{filtered}"

    @property
    def metrics(self) -> tuple[str, ...]:
        own = [
            f"{self.judge if higher else f'{self.judge}_loss'}:{self._named(name, one)}"
            for name, higher in self.measures.items()
            for one in self._filters
        ]
        right = ("accuracy", "accepted") if self._right else ()
        # A failed call has no value in a measure of which less is better, so it has to be told beside it.
        failed = () if all(self.measures.values()) else ("failed_rate",)
        retrieval = ("recall_at_1", "recall_at_5", "success_at_5", "mrr", "ndcg_at_10") if self.relevant else ()
        return (*right, *own, *failed, *retrieval)

    @cached_property
    def _right(self) -> str | None:
        """The measure that stands for accuracy."""
        found = next((name for name in RIGHT if self.measures.get(name)), None)
        return self._named(found, self._filters[0]) if found else None

    @cached_property
    def _docs(self) -> tuple[Doc, ...]:
        """All evaluated documents with their requests, in lm-eval's order: few-shot examples are drawn one by one."""
        self.task.set_fewshot_seed(FEWSHOT_SEED)
        return tuple(self._made(self.task.doc_iterator(), self.task.get_config("num_fewshot")))

    @cached_property
    def _development(self) -> tuple[Doc, ...]:
        """Its validation split, where another is evaluated, without examples; less what is evaluated too."""
        if not (self.task.has_test_docs() and self.task.has_validation_docs()):
            return ()
        asked = {key(self._search(doc.content)) for doc in self._docs}
        docs = self._made(enumerate(self.task.validation_docs()), 0, "development-")
        return tuple(doc for doc in docs if key(self._search(doc.content)) not in asked)

    def _made(self, docs: Any, shots: int, prefix: str = "") -> Iterator[Doc]:
        template = {"chat_template": as_turns} if self.chat_template else {}
        for number, doc in docs:
            context = self.task.fewshot_context(
                doc,
                num_fewshot=shots,
                apply_chat_template=self.chat_template,
                fewshot_as_multiturn=self.fewshot_as_multiturn,
                gen_prefix=self.task.doc_to_prefix(doc),
                **template,
            )
            made = self.task.construct_requests(
                doc=doc,
                ctx=context,
                metadata=(self.name, number, self.task.get_config("repeats")),
                apply_chat_template=self.chat_template,
                **template,
            )
            yield Doc(f"{prefix}{number}", doc, tuple(made) if isinstance(made, list) else (made,))

    def samples(self, split: str) -> list[Sample]:
        """The evaluated split as ``test``; where that is lm-eval's test split, its validation split to develop on."""
        chosen: Sequence[Doc] = {
            "test": lambda: self._drawn(self._docs, self.limit, "test"),
            "development": lambda: self._development,
        }.get(split, tuple)()
        return [self._sample(doc) for doc in chosen]

    def _drawn(self, docs: Sequence[Any], limit: int | None, purpose: str) -> list[Any]:
        if limit is None or len(docs) <= limit:
            return list(docs)
        rng = random.Random(f"lm_eval-{self.name}-{purpose}")
        return [docs[at] for at in sorted(rng.sample(range(len(docs)), limit))]

    def _sample(self, doc: Doc) -> Sample:
        relevant = doc.content.get(self.relevant, ()) if self.relevant else ()
        return Sample(
            id=doc.id,
            task=self.name,
            query=self._query(doc),
            reference=self._target(doc.content),
            relevant=(relevant,) if isinstance(relevant, str) else tuple(map(str, relevant)),
            tags={"judged_by": [self.judge, self._right]} if self._right else {},
        )

    def _query(self, doc: Doc) -> Query:
        made = calls(doc.instances, self.chat_template, self.max_tokens)
        longest = max((one.sampling.max_tokens for one in made if one.continuation is None), default=1)
        return Query(text=self._search(doc.content), calls=made, max_tokens=longest)

    def _search(self, doc: dict[str, Any]) -> str:
        """What retrieval looks for: the question alone, without few-shot examples."""
        if self.search is None:
            text = self.task.doc_to_text(doc)
            # Tasks whose choices stand in the prompt number them here; what they share follows.
            return text if isinstance(text, str) else str(self.task.doc_to_target(doc))
        return self._filled("search", self.search, doc)

    def _filled(self, key: str, given: str, doc: dict[str, Any]) -> str:
        """A field of the document, or a template over its fields."""
        if "{{" in given:
            from lm_eval.utils import apply_template

            return str(apply_template(given, doc))
        if given not in doc:
            raise UserError(f"suite.{key}={given}: task {self.name} has no such field; there are: {', '.join(doc)}")
        return str(doc[given])

    def _target(self, doc: dict[str, Any]) -> str:
        """What is right, as an answer would put it."""
        target = self.task.doc_to_target(doc)
        if getattr(self.task, "multiple_input", False):
            target = self.task.doc_to_text(doc)
        if isinstance(target, list):
            target = target[0] if target else ""
        if isinstance(target, int) and self.task.config.doc_to_choice is not None:
            target = self.task.doc_to_choice(doc)[target]
        return str(target)

    def lessons(self) -> list[Lesson]:
        """The training split, each question with its right continuation; questions that are evaluated are left out."""
        if not self.task.has_training_docs() or getattr(self.task, "multiple_input", False):
            return []
        asked = {key(self._search(doc.content)) for doc in self._docs}
        docs = [doc for doc in self.task.training_docs() if key(self._search(doc)) not in asked]
        drawn = self._drawn(docs, self.train_limit, "train")
        found = []
        for doc in self._made(enumerate(drawn), 0):
            query = self._query(doc)
            space = "" if self.chat_template else str(self.task.config.target_delimiter)
            answer = space + (
                self._target(doc.content) if self.lesson is None else self._filled("lesson", self.lesson, doc.content)
            )
            # One prompt is learned from, and none of the wrong continuations.
            query = Query(text=query.text, calls=(Call(prompt=query.calls[0].prompt),), max_tokens=query.max_tokens)
            found.append(Lesson(task=self.name, query=query, answer=always(answer)))
        return found

    def verdicts(self, predictions: Sequence[Prediction]) -> list[dict[str, float] | None]:
        """lm-eval's filters and scoring over stored answers, system by system; ``None`` for a call that failed."""
        docs = {doc.id: doc for doc in (*self._docs, *self._development)}
        found: dict[int, dict[str, float]] = {}
        order = sorted(
            (at for at, one in enumerate(predictions) if one.error is None),
            key=lambda at: (predictions[at].system, predictions[at].repeat),
        )
        for _, group in groupby(order, key=lambda at: (predictions[at].system, predictions[at].repeat)):
            members = list(group)
            answered = [_answered(docs[predictions[at].sample], predictions[at]) for at in members]
            for one in self.task._filters:
                one.apply([instance for instances in answered for instance in instances])
                for at, instances in zip(members, answered, strict=True):
                    doc = docs[predictions[at].sample].content
                    values = self.task.process_results(doc, [i.filtered_resps[one.name] for i in instances])
                    kept = {self._named(k, one.name): float(v) for k, v in values.items() if k in self.measures}
                    found.setdefault(at, {}).update(kept)
        return [found.get(at) for at in range(len(predictions))]


def _answered(doc: Doc, prediction: Prediction) -> list[Instance]:
    """The document's requests with what was answered to them."""
    outputs = iter(prediction.outputs)
    made = []
    for instance in doc.instances:
        one = copy.copy(instance)
        count = 1 if one.request_type == "loglikelihood" else one.repeats or 1
        one.resps = [_response(next(outputs)) for _ in range(count)]
        one.filtered_resps = {}
        made.append(one)
    return made


def _response(output: str | Likelihood) -> str | tuple[float, bool]:
    return output if isinstance(output, str) else (output.log_likelihood, output.greedy)
