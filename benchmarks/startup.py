"""How long the light commands take, beside an interpreter that does nothing.

    python benchmarks/startup.py [--runs 15]

Medians of wall time over runs in turn (so that a noisy moment hits all of them), in milliseconds,
and the ratio to `python -c pass`.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS: dict[str, list[str]] = {
    "python -c pass": ["-c", "pass"],
    "lora-wizard --help": ["-m", "lora_wizard.tui.cli", "--help"],
    "lora-wizard templates": ["-m", "lora_wizard.tui.cli", "templates"],
    "lora-wizard check (demo)": ["-m", "lora_wizard.tui.cli", "check", "templates/demo.toml"],
    "lora-wizard plan (demo)": ["-m", "lora_wizard.tui.cli", "plan", "templates/demo.toml"],
    "import textual": ["-c", "import textual.app"],
    "import torch": ["-c", "import torch"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, words in COMMANDS.items():
            times[name].append(_milliseconds(words))
    floor = statistics.median(times["python -c pass"])
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:<28}{median:8.0f} ms   {median / floor:6.1f} x")


def _milliseconds(words: list[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        cwd=Path(__file__).resolve().parents[1],
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr.decode())
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
