"""Where a run comes from: what its manifest says besides the config, so that somebody else can make it again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.workspace import ROOT, commit, environment

VARIABLES = (
    *("CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "PYTORCH_CUDA_ALLOC_CONF"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "KMP_BLOCKTIME", "PYTHONHASHSEED"),
    *("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM"),
    *("VLLM_ATTENTION_BACKEND", "VLLM_CPU_KVCACHE_SPACE", "VLLM_CPU_OMP_THREADS_BIND", "VLLM_USE_V1"),
    *("VLLM_CPU_NUM_OF_RESERVED_CPU", "VLLM_WORKER_MULTIPROC_METHOD", "VLLM_ENABLE_V1_MULTIPROCESSING"),
    *("NCCL_P2P_DISABLE", "SLURM_RESTART_COUNT"),
)
"""Environment variables that change what is computed, or how fast. No other is read: secrets stand beside them."""


def provenance(config: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of the manifest: commit, packages, machine, environment, seeds and command. ``config``: resolved."""
    return {
        **tree(),
        **environment(),
        "lock": lock(),
        "platform": machine(),
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "seeds": dict(seeds(config)),
        "command": command(),
    }


def tree() -> dict[str, Any]:
    """``commit``; whether the tree is ``dirty`` (``None`` outside git); of a dirty one, the hash of its ``changes``."""
    found = commit()
    if found == "unknown":
        return {"commit": found, "dirty": None}
    if not found.endswith("-dirty"):
        return {"commit": found, "dirty": False}
    changes = subprocess.run(
        ["git", "diff", "HEAD", "--", ".", ":(exclude)results"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return {"commit": found, "dirty": True, "changes": hashlib.sha256(changes).hexdigest()[:16]}


def lock() -> dict[str, Any]:
    """Every package that is installed, ``name==version``, and the ``hash`` of the list."""
    found = {
        f"{re.sub(r'[-_.]+', '-', name).lower()}=={one.version}"
        for one in importlib.metadata.distributions()
        if (name := one.metadata["Name"])
    }
    packages = sorted(found)
    return {"hash": hashlib.sha256("\n".join(packages).encode()).hexdigest()[:16], "packages": packages}


def machine() -> dict[str, Any]:
    """Operating system, C library, and the driver of the GPU (``None`` without one)."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = platform.platform()
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=True, timeout=10).stdout.split()
    except (OSError, subprocess.SubprocessError):
        said = []
    return {
        "system": name,
        "kernel": platform.release(),
        "c_library": "-".join(platform.libc_ver()),
        "driver": said[0] if said else None,
    }


def seeds(config: Any, place: str = "") -> Iterator[tuple[str, int]]:
    """Every seed of a resolved config by its place, as ``tuning.seed``."""
    for key, value in config.items() if isinstance(config, Mapping) else ():
        where = f"{place}{key}"
        if isinstance(value, Mapping):
            yield from seeds(value, f"{where}.")
        elif str(key) == "seed" or str(key).endswith("_seed"):
            yield where, value


def command() -> str:
    """The command that this process was started with."""
    program = Path(sys.argv[0]).name
    return shlex.join(["bench" if program == "__main__.py" else program, *sys.argv[1:]])
