"""Models in the ONNX format: what they need, and how they are opened."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..core.errors import Problem, WizardError
from ..core.installed_torch import installed_torch
from .base import OutOfMemoryError

_CUDA, _PROCESSOR = "CUDAExecutionProvider", "CPUExecutionProvider"
_CUDA_OPTIONS = {
    # Batches differ in size at their end and after a halving: memory grows by what is needed, and
    # no size is measured for seconds first.
    "arena_extend_strategy": "kSameAsRequested",
    "cudnn_conv_algo_search": "HEURISTIC",
}
_CUDA_LIBRARY = "capi/libonnxruntime_providers_cuda.so"
_NO_MEMORY = re.compile("failed to allocate memory|out of memory|bad_alloc|ALLOC_FAILED", re.I)
_ERRORS_ONLY = 3


def runtime_problems(device: str) -> Iterator[Problem]:
    """What of onnxruntime is not installed for ``device`` (auto, cuda or cpu), with the command.
    Imports neither it nor torch."""
    torch = installed_torch()
    has_cuda = torch is not None and torch.cuda is not None
    spec = find_spec("onnxruntime")
    if spec is None:
        for_gpu = device == "cuda" or (device == "auto" and has_cuda)
        yield Problem(
            "onnxruntime is not installed",
            remedy=f"pip install {'onnxruntime-gpu' if for_gpu else 'onnxruntime'}",
        )
        return
    places = spec.submodule_search_locations or ()
    on_gpu = any(Path(place, _CUDA_LIBRARY).exists() for place in places)
    if not on_gpu and (device == "cuda" or (device == "auto" and has_cuda)):
        yield Problem(
            "The installed onnxruntime computes on the processor alone",
            remedy="For the GPU: pip uninstall -y onnxruntime && pip install onnxruntime-gpu",
            severity="error" if device == "cuda" else "note",
        )


def open_session(path: Path, device: str) -> Any:
    """An onnxruntime.InferenceSession of the model in ``path``. With ``auto`` on the GPU if
    onnxruntime can use one. Raises WizardError."""
    import onnxruntime

    on_gpu = device != "cpu" and _CUDA in onnxruntime.get_available_providers()
    if on_gpu and hasattr(onnxruntime, "preload_dlls"):
        # Finds the CUDA and cuDNN that came with torch.
        onnxruntime.preload_dlls()
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = _ERRORS_ONLY
    # Said, because what it finds out by itself are the machine's processors, not the container's.
    settings.intra_op_num_threads = _threads()
    providers = [(_CUDA, _CUDA_OPTIONS)] if on_gpu else []
    try:
        session = onnxruntime.InferenceSession(
            str(path), settings, providers=[*providers, _PROCESSOR]
        )
    except Exception as error:
        raise _cannot_load(path, str(error)) from error
    if device == "cuda" and _CUDA not in session.get_providers():
        raise WizardError(
            "onnxruntime cannot use the GPU",
            "there is none, or no CUDA and cuDNN of the version that it is built for",
            "Update it: pip install -U onnxruntime-gpu. Or let it compute on the processor.",
        )
    return session


@contextlib.contextmanager
def memory_told() -> Iterator[None]:
    """Raises OutOfMemoryError where memory runs out, for which onnxruntime has no exception."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
            raise OutOfMemoryError(str(error)) from error
        raise


def _cannot_load(path: Path, said: str) -> WizardError:
    if _NO_MEMORY.search(said):
        remedy = "It does not fit into memory: end what else computes, or choose a smaller one."
    else:
        remedy = "Get it again: an interrupted download or a pointer of Git LFS looks like this."
    first = said.partition("\n")[0][:300]
    return WizardError("The model cannot be loaded", f"{path}: {first}", remedy)


def _threads() -> int:
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else len(os.sched_getaffinity(0))
