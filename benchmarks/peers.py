"""Ours beside the trainers that people use now, on the same work, in one run.

    python benchmarks/peers.py --diffusers PATH [--sd-scripts PATH --sd-python PYTHON]

PATH of diffusers: a checkout, or its train_text_to_image_lora.py; without one, ours runs alone.
README.md says what is compared and how.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from peer_material import Material, make
from peer_sides import Case, Diffusers, Ours, SdScripts, Side, bare_imports

_SCRIPT = Path("examples/text_to_image/train_text_to_image_lora.py")
_WARM_UP = 3


@dataclass
class Found:
    """Of one side in one case, one figure a round."""

    cold: list[float] = field(default_factory=list[float])
    warm: list[float] = field(default_factory=list[float])
    speed: list[float] = field(default_factory=list[float])
    memory: list[float] = field(default_factory=list[float])


def main() -> None:
    arguments = _arguments()
    if arguments.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory(dir=arguments.work) as name:
        work = Path(name)
        largest = max(arguments.sides)
        material = make(
            work / "material", arguments.pictures, largest, real_size=arguments.real_size
        )
        say(f"{platform.machine()}, Python {platform.python_version()}, {arguments.device}")
        say(f"{arguments.pictures} pictures, {arguments.rounds} rounds in turn, medians")
        say("(n x): ours is so many times as fast, or needs so many times less")
        sides = _sides(arguments, material, work)
        for side in sides:
            side.work.mkdir()
        for case in _cases(arguments):
            compare(case, [s for s in sides if fits(s, case)], arguments.rounds, work)


def compare(case: Case, sides: list[Side], rounds: int, work: Path) -> None:
    """All sides in turn, round after round, and a table of medians and of ratios to ours."""
    found = {side.name: Found() for side in sides}
    imports: list[float] = []
    for _ in range(rounds):
        imports.append(bare_imports(work))
        for side in sides:
            measure(side, case, found[side.name])
    bare = statistics.median(imports)
    trained = "U-Net and text encoder" if case.text_encoder else "U-Net"
    say(f"\n{case.side} px, batch {case.batch}, {case.precision}, {trained}")
    say(f"import torch, diffusers, peft  {bare:.2f} s")
    ours = found[sides[0].name]
    rows: list[tuple[str, str, Callable[[Found], float], bool]] = [
        ("first step, cached before", "s", lambda f: statistics.median(f.warm), False),
        ("  beyond the imports", "s", lambda f: statistics.median(f.warm) - bare, False),
        ("  and without the step", "s", lambda f: _overhead(f, bare), False),
        ("first step, nothing cached", "s", lambda f: statistics.median(f.cold), False),
        ("  caching alone", "s", lambda f: _caching(f), False),
        ("steps a second", "", lambda f: statistics.median(f.speed), True),
        ("highest memory", "MB", lambda f: statistics.median(f.memory) / 1e6, False),
    ]
    for label, unit, figure, more_is_better in rows:
        cells = [f"{label:<28}"]
        for side in sides:
            value = figure(found[side.name])
            cell = f"{side.name} {value:.2f} {unit}"
            if side.name != sides[0].name and min(value, figure(ours)) > 0.005:
                ratio = figure(ours) / value if more_is_better else value / figure(ours)
                cell += f" ({ratio:.2f} x)"
            cells.append(cell.ljust(32))
        say("".join(cells).rstrip())


def measure(side: Side, case: Case, found: Found) -> None:
    """Once with an empty cache, once with a full one; what has none only once."""
    cold = side.run(case, cold=True)
    warm = side.run(case, cold=False) if side.caches else cold
    found.cold.append(cold["first"])
    found.warm.append(warm["first"])
    for run in [cold, warm] if side.caches else [cold]:
        durations = [after - before for before, after in pairwise(run["steps"][_WARM_UP:])]
        found.speed.append(1 / statistics.median(durations) if durations else 0.0)
        found.memory.append(run["gpu_memory"] or run["memory"])


def fits(side: Side, case: Case) -> bool:
    return side.trains_text_encoder or not case.text_encoder


def say(text: str) -> None:
    print(text, flush=True)


def _overhead(found: Found, bare: float) -> float:
    """What is left of the way to the first step, without imports and without the step."""
    return statistics.median(found.warm) - bare - 1 / statistics.median(found.speed)


def _caching(found: Found) -> float:
    return max(statistics.median(found.cold) - statistics.median(found.warm), 0.0)


def _cases(arguments: Any) -> list[Case]:
    precision = arguments.precision
    cases = [
        Case(side, batch, arguments.steps, False, precision)
        for side in arguments.sides
        for batch in arguments.batches
    ]
    if arguments.sd_scripts:
        cases.append(Case(arguments.sides[0], 1, arguments.steps, True, precision))
    return cases


def _sides(arguments: Any, material: Material, work: Path) -> list[Side]:
    sides: list[Side] = [Ours("ours", material, work / "a")]
    if arguments.diffusers:
        given: Path = arguments.diffusers
        script = given / _SCRIPT if given.is_dir() else given
        python = arguments.diffusers_python
        sides.append(Diffusers(script, material=material, work=work / "b", python=python))
    if arguments.sd_scripts:
        python = arguments.sd_python
        checkout = arguments.sd_scripts
        sides.append(SdScripts(checkout, material=material, work=work / "c", python=python))
    return sides


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--diffusers", type=lambda text: Path(text).resolve())
    parser.add_argument("--diffusers-python", default=sys.executable)
    parser.add_argument("--sd-scripts", type=lambda text: Path(text).resolve())
    parser.add_argument("--sd-python", default=sys.executable)
    parser.add_argument("--pictures", type=int, default=20)
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--real-size", action="store_true")
    parser.add_argument("--precision", choices=("fp32", "bf16", "fp16"), default="fp32")
    parser.add_argument("--work", help="where to put the material; by default the temporary folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
