"""What a sample's answer can be read from: the chunks of its relevant documents, those that state the answer first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest

from bench.detectors.closed_world import supported
from bench.metrics.references import spellings
from bench.metrics.text import contains
from bench.records import Prediction, Sample
from systems.base import Chunk


def evidence(sample: Sample, chunks: Mapping[str, Sequence[Chunk]]) -> list[Chunk]:
    """The chunks to read, the relevant documents taking turns; empty where one of these is not there.

    ``chunks``: those of every document by its id, and every single one by its own. Of a document come the chunks that
    state the answer or, where none is seen to, all of them in the order of the text.
    """
    if not all(name in chunks for name in sample.relevant):
        return []
    turns = zip_longest(*(_stating(sample, chunks[name]) for name in sample.relevant))
    return list({chunk.id: chunk for chunk in chain(*turns) if chunk is not None}.values())


def shown_in_full(sample: Sample, prediction: Prediction) -> bool:
    """Whether a chunk of every relevant document stood in the prompt."""
    places = zip(prediction.retrieved, prediction.retrieved_documents, strict=True)
    shown = {name for place in places if place[0] in prediction.shown for name in place}
    return bool(sample.relevant) and shown >= set(sample.relevant)


def _stating(sample: Sample, chunks: Sequence[Chunk]) -> Sequence[Chunk]:
    return [chunk for chunk in chunks if states(sample, chunk)] or chunks


def states(sample: Sample, chunk: Chunk) -> bool:
    """Whether a chunk is seen to state the answer: of what was asked about, where the task tells, else anywhere."""
    if sample.tags.get("entity"):
        reference = sample.reference.get("answer") if isinstance(sample.reference, dict) else sample.reference
        return isinstance(reference, str) and supported(reference, sample, chunk)
    return any(contains(f"{chunk.title}\n{chunk.text}", spelling) for spelling in spellings(sample))
