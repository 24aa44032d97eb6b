"""``bench <stage> ...``: finds the stage and hands over. Standard library only, so that help is instant."""

from __future__ import annotations

import importlib
import io
import os
import sys
from pathlib import Path

STAGES = {
    "run": "everything: build, generate, load, detect, score, report, W&B",
    "build": "chunk, embed and index the corpus; train the adapters",
    "retrieve": "how well retrievers find the evidence, without a model: bench retrieve retrievers=bm25,dense,fused",
    "generate": "let the systems answer; every answer goes to the journal",
    "counterfactuals": "ask again what systems with retrieval got wrong: with the relevant chunks, without any",
    "load": "measure latency and throughput under declared load",
    "detect": "judge what answers assert: bench detect RUN_DIR | RESPONSES.jsonl detector=NAME",
    "score": "a run again, or answers made elsewhere: bench score RUN_DIR | SAMPLES.jsonl ANSWERS.jsonl",
    "report": "write summary.json and report.html again: bench report RUN_DIR",
    "cost": "what a run costs a month, at any price and volume: bench cost RUN_DIR [price=NAME volume=CALLS ...]",
    "label": "a blind sheet for people, and their labels back: bench label RUN_DIR [SHEET.csv annotator=NAME]",
    "sweep": "a grid of runs on a cluster: bench sweep submit KEY=A,B ... | status DIR | resume DIR | collect DIR",
    "doctor": "what works on this machine and what does not, with the fix: bench doctor [key=value ...]",
    "sync": "send runs to W&B that it does not hold yet: bench sync RUN_DIR|SWEEP_DIR ... [limit=SECONDS]",
    "wandb": "saved pages of W&B: bench wandb workspace [project=NAME entity=NAME], bench wandb report RUN_DIR",
    "compare": "systems in pairs, across runs or score files: bench compare RUN [RUN ...] | FILE.csv",
    "publish": "runs as a result that anyone can make again: bench publish RUN [RUN ...] name=NAME",
    "reproduce": "run what is published again, and hold it to its numbers: bench reproduce NAME [key=value ...]",
}
FLAGS = {
    "run": "--config prints the resolved config; --fresh sets an earlier run of the same config aside;\n"
    "       -m runs a grid (seed=0,1,2) as a sweep in sweep_dir=DIR; ",
    "sweep": "--json prints one object; ",
    "retrieve": "--json prints one object; ",
    "compare": "--json prints one object; ",
    "cost": "--json prints one object; ",
    "reproduce": "--reuse-builds, --json, and --fresh, which begins an unfinished one anew;\n       ",
    "doctor": "--deep starts the engine too; --json prints one object; ",
    "sync": "--json prints one object; ",
}
"""What a stage has besides ``--traceback``."""
EXAMPLES = """\
  bench run experiment=pocket                         the four systems on the embedded default
  bench run experiment=pocket systems=retrieval       only rag and hybrid
  bench run suite=files corpus=DOCS samples=Q.jsonl   your own documents and questions
  bench run -m seed=0,1,2 retriever=bm25,fused        a sweep: six runs (hydra/launcher=slurm: on a cluster)
  bench report results/runs/NAME                      write a run's report again"""


def choices() -> dict[str, list[str]]:
    """Config group → its options, read from the names of the files alone, those of the site included."""
    site = os.environ.get("KNOWHOW_SITE")
    groups: dict[str, list[str]] = {}
    for root in [Path(__file__).resolve().parent.parent / "conf", *([Path(site)] if site else [])]:
        for path in sorted(root.rglob("*.yaml")):
            group = path.parent.relative_to(root).as_posix()
            if group != ".":
                groups.setdefault(group, []).append(path.stem)
    return groups


def _choices() -> list[str]:
    return ["choose with group=option:", *(f"  {group:20} {', '.join(known)}" for group, known in choices().items())]


def usage(stage: str | None) -> str:
    """The help text, of one stage or of all."""
    if stage is None:
        lines = ["usage: bench STAGE [RUN_DIR] [key=value ...] [--flags]", "", "stages:"]
        lines += [f"  {name:15} {text}" for name, text in STAGES.items()]
        lines += ["", *_choices(), "", "examples:", EXAMPLES, "", "Help on a stage: bench STAGE --help"]
        return "\n".join(lines)
    lines = [
        f"usage: bench {stage} [RUN_DIR] [key=value ...] [--flags]",
        "",
        f"  {STAGES[stage]}",
        "",
        *_choices(),
        "",
        "single values: seed=0 run_dir=PATH suite.limit=20 systems.rag.top_k=8 price.per_hour=1.2",
        f"flags: {FLAGS.get(stage, '')}--traceback shows where an error arose",
        "",
        "examples:",
        EXAMPLES,
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run one stage; returns the exit code (0 done, 1 failed, 2 the user's mistake; 3 and 4: see ``reproduce``)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    stage = arguments.pop(0) if arguments else "--help"
    if stage in ("-h", "--help", "help"):
        print(usage(None))
        return 0
    if stage not in STAGES:
        import difflib

        near = difflib.get_close_matches(stage, STAGES, 1)
        print(
            f"bench: no stage {stage!r}; {f'did you mean {near[0]}?' if near else 'see bench --help'}", file=sys.stderr
        )
        return 2
    if any(argument in ("-h", "--help") for argument in arguments):
        print(usage(stage))
        return 0
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal cannot show is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    # Before any library is imported: they read these once.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    from systems.base import Failure, UserError

    traceback = "--traceback" in arguments
    arguments = [argument for argument in arguments if argument != "--traceback"]
    try:
        code: int = importlib.import_module(f"bench.{stage}").main(arguments)
        return code
    except (UserError, Failure) as error:
        if traceback:
            raise
        print(f"bench {stage}: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    except OSError as error:
        if traceback:
            raise
        place = f"{error.filename}: " if error.filename else ""
        print(f"bench {stage}: {place}{error.strerror or error}", file=sys.stderr)
        return 1
    except Exception as error:
        if traceback:
            raise
        words = " ".join(str(error).split())[:300]
        print(
            f"bench {stage}: {type(error).__name__}: {words}; this was not foreseen: --traceback shows where",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(f"bench {stage}: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
