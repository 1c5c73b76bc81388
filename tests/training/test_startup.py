"""A job's process after its imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import gc, sys
from lora_wizard.core.config import RunConfig
from lora_wizard.core.training.startup import import_libraries
{first}
import_libraries(RunConfig.model_validate({{"model": {{"base": "embedded:demo"}}}}))
assert "lora_wizard.core.training.preparation" in sys.modules
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


def after_imports(first: str = "") -> str:
    program = PROGRAM.format(first=first)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_what_was_imported_is_left_out_of_the_search_for_garbage() -> None:
    assert after_imports() == "True True"


def test_in_a_process_of_somebody_else_garbage_stays_to_be_found() -> None:
    assert after_imports("import diffusers") == "True False"


def test_a_library_that_is_not_asked_for_does_not_warn_into_the_log() -> None:
    pytest.importorskip("bitsandbytes")
    program = PROGRAM.format(first="") + "import bitsandbytes, peft.tuners.lora\n"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "4bit" not in done.stderr
