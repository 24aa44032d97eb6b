"""``suite=NAME suite.path=DIR``: a public data set as a suite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from bench.canonical import key
from bench.tasks.base import Suite
from bench.tasks.line import Line, Lines
from bench.tasks.lines import Limits, lines_suite
from bench.tasks.public.source import Reader, Source
from systems.base import Failure, UserError


def public_suite(
    name: str,
    reader: str,
    path: str | None = None,
    hub: str | None = None,
    revision: str | None = None,
    max_tokens: int = 64,
    limit: int | None = None,
    train_limit: int | None = None,
    shots: int = 8,
    **settings: Any,
) -> Suite:
    """Read a data set from ``path``, or from the hub's data set repository ``hub`` at ``revision`` (a commit).

    ``reader`` is the dotted name of a ``source.Reader``; ``settings`` are its own.
    """
    limits = Limits(max_tokens=max_tokens, limit=limit, train_limit=train_limit, shots=shots)
    source = Source(_directory(name, path, hub, revision))
    lines = Lines()
    try:
        found = _reader(reader)(source, **settings)
        for number, record in enumerate(found.records, 1):
            lines.add(record, f"{source.path}: {name}, sample {number}", f"sample {number}")
    except KeyError as error:
        raise UserError(f"suite.path={source.path}: a row of {name} has no {error}; is it another data set?") from None
    except (AttributeError, IndexError, RecursionError, TypeError, ValueError) as error:  # of another shape
        words = " ".join(str(error).split())[:200]
        raise UserError(
            f"suite.path={source.path}: not in the shape of {name}'s own files ({words}); is it another data set?"
        ) from None
    corpus = tuple(found.corpus)
    for document in corpus:
        for part in ("title", "text"):
            if not isinstance(getattr(document, part), str):
                raise UserError(f"suite.path={source.path}: document {document.id!r}: its {part} must be a text")
    data = {"hub": hub, "revision": revision} if hub and revision and not path else {}
    data |= {**source.read, "documents": str(len(corpus)), **found.left_out}
    kept = without_evaluated(lines.found)
    for split, words in (("train", "training"), ("development", "development")):
        left_out = sum(one.split == split for one in lines.found) - sum(one.split == split for one in kept)
        if left_out:
            data[f"left_out_of_{words}"] = f"{left_out} lines whose question is also evaluated"
    return lines_suite(name, kept, limits, source=str(source.path), corpus=corpus, measured=found.measured, data=data)


def without_evaluated(lines: Sequence[Line]) -> list[Line]:
    """The lines, but for those of training whose question the same task evaluates or develops on, and those of the
    development split that it evaluates: public sets hold some of them."""

    def asked(line: Line) -> tuple[str, str]:
        return line.task, key(line.data["query"])

    tested = {asked(line) for line in lines if line.split == "test"}
    developed = {asked(line) for line in lines if line.split == "development"}
    beyond = {"train": tested | developed, "development": tested, "test": set()}
    return [line for line in lines if asked(line) not in beyond[line.split]]


def _reader(name: str) -> Reader:
    from hydra.utils import get_object

    return cast(Reader, get_object(name))


def _directory(name: str, path: str | None, hub: str | None, revision: str | None) -> Path:
    if path is not None:
        if not Path(path).is_dir():
            raise UserError(f"suite.path={path}: no such directory; give the one that holds {name}'s files")
        return Path(path)
    if hub is None:
        raise UserError(f"suite.path: has to be given with suite={name}, as suite.path=DIR with {name}'s files")
    if revision is None:
        raise UserError(f"suite.revision: has to be given with suite.hub={hub}: a commit, so that data cannot change")
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(hub, repo_type="dataset", revision=revision))
    except Exception as error:
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise Failure(f"suite.hub={hub}: could not be fetched: {words[0]}; give suite.path=DIR instead") from error
