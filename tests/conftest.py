"""What every test stands on: one thread, no hub, folders of its own, a tiny base model."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# A shell starts what it does not wait for with SIGINT ignored, nohup with SIGHUP; the processes of
# the tests have to hear both.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Before anything imports torch or huggingface_hub, which read these once; subprocesses inherit
# them too.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
_HOME = tempfile.TemporaryDirectory(prefix="lora-wizard-tests-")
for _variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
    os.environ[_variable] = str(Path(_HOME.name, _variable.lower()))
os.environ["HF_HOME"] = str(Path(_HOME.name, "huggingface"))


@pytest.fixture(scope="session")
def tiny_sd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a Stable Diffusion 1.x base of random weights, VAE factor 4. Read only: copy
    it, or build another with `tiny_sd.build`, to change something."""
    import torch
    from tiny_sd import build

    torch.set_num_threads(1)
    yield build(tmp_path_factory.mktemp("tiny-sd") / "base")
