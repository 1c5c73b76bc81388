"""What a job's process imports before it works. No torch at module level."""

from __future__ import annotations

import contextlib
import gc
import logging
import sys
from collections.abc import Iterator

from ..config import RunConfig
from ..families import registry as families
from ..families.base import load_implementation


def import_libraries(config: RunConfig) -> None:
    """Import torch and what the family needs. Raises WizardError for an unknown family."""
    # bitsandbytes, which peft brings along where it is installed, warns on some processors of
    # kernels for 4-bit models that it lacks: nothing here uses them.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    with _keeping_everything():
        import torch

        load_implementation(families.find(config.model.family))
        from . import preparation

        assert torch and preparation


@contextlib.contextmanager
def _keeping_everything() -> Iterator[None]:
    """Leave what is made here out of every search for garbage: each search through the modules of
    torch, diffusers and transformers takes a quarter of a second and finds nothing."""
    if "diffusers" in sys.modules:
        # Somebody else's process: what there is to be found in it is not known.
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
