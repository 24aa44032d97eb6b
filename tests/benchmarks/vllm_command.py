"""vLLM's own commands, and whatever asks for its version, on the CPU build too."""

from __future__ import annotations

import os
from pathlib import Path


def environment(root: Path) -> dict[str, str]:
    """The CPU build's distribution has another name than the one that vLLM and lm-eval look up."""
    import vllm

    version = vllm.__version__ if "cpu" in vllm.__version__ else f"{vllm.__version__}+cpu"
    info = root / "site" / f"vllm-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    path = os.pathsep.join([str(root / "site"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {**os.environ, "PYTHONPATH": path, "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
