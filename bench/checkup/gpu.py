"""NVIDIA cards, their driver (as NVML tells it), and whether PyTorch's build can use them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from bench.checkup.base import About, Finding, State

NAME = "GPU"
ESSENTIAL = False
QUERY = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
DRIVER = Path("/proc/driver/nvidia/version")


def look(about: About) -> list[Finding]:
    program = shutil.which("nvidia-smi")
    if program is None and not DRIVER.exists():
        return [
            Finding(name="GPU", state=State.NOT_NEEDED, found="none; the processor serves"),
            Finding(name="CUDA", state=State.NOT_NEEDED, found="no GPU to use it on"),
        ]
    if program is None:
        fix = "put nvidia-smi on PATH: it comes with the driver"
        return [
            Finding(name="GPU", state=State.BROKEN, found="a driver is loaded, but nvidia-smi is not here", fix=fix)
        ]
    done = subprocess.run([program, *QUERY], capture_output=True, text=True, timeout=30, check=False)
    cards = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not cards:
        said = " ".join((done.stdout or done.stderr).split())[:160] or f"exit code {done.returncode}"
        fix = "load the driver that fits the kernel (a restart often does); in a job, ask for a GPU: --gres=gpu:1"
        return [Finding(name="GPU", state=State.BROKEN, found=f"nvidia-smi: {said}", fix=fix)]
    return [Finding(name="GPU", state=State.OK, found="; ".join(cards)), _cuda(program)]


def _cuda(program: str) -> Finding:
    import torch

    built = torch.version.cuda
    if built is None:
        found = f"PyTorch {torch.__version__} is a build without CUDA: the cards stay unused"
        fix = "another environment with pip install -r requirements/cuda.txt"
        return Finding(name="CUDA", state=State.MISSING, found=found, fix=fix)
    if torch.cuda.is_available():
        return Finding(name="CUDA", state=State.OK, found=f"PyTorch {torch.__version__} with CUDA {built}")
    header = subprocess.run([program], capture_output=True, text=True, timeout=30, check=False).stdout
    knows = re.search(r"CUDA Version:\s*([\d.]+)", header)
    most = f", the driver knows up to {knows[1]}" if knows else ""
    fix = "a newer driver, or a PyTorch build for the CUDA that the driver knows"
    return Finding(name="CUDA", state=State.BROKEN, found=f"PyTorch wants CUDA {built}{most}", fix=fix)
