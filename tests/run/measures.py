"""A measuring job without torch, which does as it is told."""

import os
import sys
import time
from pathlib import Path

from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.measure import Measurement, measure_run


def work(run: RunDirectory) -> Measurement:
    told = os.environ.get("MEASURE", "")
    while told == "wait" and not (run.path / "go").exists():
        time.sleep(0.01)
    if told == "fail":
        raise RuntimeError("no judge with " + os.environ.get("HF_TOKEN", "no token"))
    (run.path / f"measured-by-{os.getpid()}").touch()
    return Measurement(True, ("It learned.", "In 90% of 20."), {"share": 0.9})


if __name__ == "__main__":
    sys.exit(measure_run(Path(sys.argv[1]), work))
