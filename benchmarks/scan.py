"""How long a large dataset takes from its folder to the plan.

    python benchmarks/scan.py [--pictures 10000] [--runs 3] [--sd-scripts PATH --sd-python PYTHON]

Headers read for the first time, from the index, the whole plan (headers from the index, captions,
buckets), the order of an epoch, and, as the floor, only listing the folder. Medians of CPU-seconds
over runs in turn, and the ratio to listing. The files are in the system's cache: a cold disk adds
its own time. With a checkout of sd-scripts, and an interpreter that has its requirements, the whole
plan beside what sd-scripts does for the same, in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.dataset.folders import list_folder
from lora_wizard.core.dataset.images import is_picture_name, scan_pictures
from lora_wizard.core.dataset.index import index_path
from lora_wizard.core.dataset.order import windows
from lora_wizard.core.families import registry
from lora_wizard.core.schedule import Schedule
from PIL import Image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sd-scripts", type=lambda text: Path(text).resolve())
    parser.add_argument("--sd-python", default=sys.executable)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CACHE_HOME"] = str(Path(name, "cache"))
        folder = Path(name, "pictures")
        make_pictures(folder, arguments.pictures)
        measure(folder, arguments.runs)
        if arguments.sd_scripts:
            theirs = [arguments.sd_python, Path(__file__).with_name("peer_scan.py")]
            compare(folder, arguments.runs, [*theirs, arguments.sd_scripts, folder])


def make_pictures(folder: Path, number: int) -> None:
    """Copies of 90 pictures of many shapes, a third each JPEG, PNG and WebP, with captions."""
    folder.mkdir()
    draw = random.Random(0)
    for at in range(number):
        kind = ("jpg", "png", "webp")[at % 3]
        if at < 90:
            size = (draw.randint(300, 1500), draw.randint(300, 1500))
            Image.new("RGB", size, (at, 80, 160)).save(folder / f"{at:06}.{kind}")
        else:
            shutil.copyfile(folder / f"{at % 90:06}.{kind}", folder / f"{at:06}.{kind}")
        (folder / f"{at:06}.txt").write_text(f"a picture, number {at}, of many")


def measure(folder: Path, runs: int) -> None:
    config, spec = config_of(folder), registry.find("sd1")
    files = [file for file in list_folder(folder).files if is_picture_name(file.name)]

    def first_scan() -> object:
        index_path(folder).unlink(missing_ok=True)
        return scan_pictures(folder, files)

    plan = build_plan(config, spec)
    works: dict[str, Callable[[], object]] = {
        "list the folder": lambda: list_folder(folder),
        "headers, first time": first_scan,
        "headers, from the index": lambda: scan_pictures(folder, files),
        "the whole plan": lambda: build_plan(config, spec),
        "the schedule": lambda: Schedule.of(plan, config),
        "the order of an epoch": lambda: windows(plan, config, 1),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            times[name].append(timed(work))
    floor = statistics.median(times["list the folder"])
    print(f"{len(files)} pictures, {runs} runs")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:<26}{median:8.3f} s   {median / floor:6.1f} x")


def compare(folder: Path, runs: int, theirs: list[str | Path]) -> None:
    """The whole plan beside ``theirs``, a command that tells its own times, in turn."""
    config, spec = config_of(folder), registry.find("sd1")
    build_plan(config, spec)
    ours: list[float] = []
    sd_scripts: list[float] = []
    for _ in range(runs):
        ours += [timed(lambda: build_plan(config, spec)) for _ in range(runs)]
        done = subprocess.run(
            [*theirs, f"--runs={runs}"], capture_output=True, text=True, check=True
        )
        sd_scripts += json.loads(done.stdout.splitlines()[-1])
    for name, of in (("least", min), ("median", statistics.median)):
        a, b = of(ours), of(sd_scripts)
        print(f"the whole plan, {name:<8} ours {a:.3f} s, sd-scripts {b:.3f} s ({b / a:.2f} x)")


def config_of(folder: Path) -> RunConfig:
    return RunConfig.model_validate({"model": {"base": "none"}, "dataset": {"folder": str(folder)}})


def timed(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
