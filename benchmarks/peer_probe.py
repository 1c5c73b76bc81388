"""Runs a trainer as its own program and writes down when each of its optimizer steps was done.

    python peer_probe.py RESULT.json (-m MODULE | SCRIPT) [ARGUMENTS ...]

Knows nothing of who trains: torch tells every optimizer's steps to a hook. CPU-seconds of the
process from its very beginning, on a GPU seconds on the clock with the GPU's work waited for;
RESULT.json holds ``first`` (start to the end of the first step), ``steps`` (the times of all),
``memory`` (the highest, bytes), ``gpu_memory``.

    python peer_probe.py RESULT.json --bare      what the imports alone cost
    SD_CHANNELS=64,128,256,256                   the U-Net's widths, constants in sd-scripts
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import runpy
import sys
import time
from pathlib import Path
from typing import Any

BEGUN = time.perf_counter()


def main() -> None:
    result, kind, *arguments = sys.argv[1:]
    if kind == "--bare":
        import diffusers
        import peft
        import torch

        assert torch and diffusers and peft
        Path(result).write_text(json.dumps({"first": time.process_time()}))
        return
    watch_steps(Path(result))
    if kind == "-m":
        sys.argv = arguments
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        return
    sys.argv = [kind, *arguments]
    sys.path[0] = str(Path(kind).parent)
    if "SD_CHANNELS" in os.environ:
        narrow_sd_scripts([int(width) for width in os.environ["SD_CHANNELS"].split(",")])
    runpy.run_path(kind, run_name="__main__")


def watch_steps(result: Path) -> None:
    import torch
    from torch.optim.optimizer import register_optimizer_step_post_hook

    on_gpu = torch.cuda.is_available()
    marks: list[float] = []

    def mark(*_: Any) -> None:
        if on_gpu:
            torch.cuda.synchronize()
        marks.append(time.perf_counter() - BEGUN if on_gpu else time.process_time())

    def write() -> None:
        found = {
            "first": marks[0],
            "steps": marks,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "gpu_memory": torch.cuda.max_memory_allocated() if on_gpu else 0,
        }
        result.write_text(json.dumps(found))

    register_optimizer_step_post_hook(mark)
    atexit.register(write)


def narrow_sd_scripts(widths: list[int]) -> None:
    from library import original_unet  # pyright: ignore[reportMissingImports]

    original_unet.BLOCK_OUT_CHANNELS = tuple(widths)
    original_unet.TIMESTEP_INPUT_DIM = widths[0]
    original_unet.TIME_EMBED_DIM = widths[0] * 4


if __name__ == "__main__":
    main()
