"""Sample prompts: what to draw, with sd-scripts' options behind each prompt."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from ..config import RunConfig, SampleOptions
from ..errors import Problem, ProblemsError, WizardError
from ..families.base import SamplePrompt
from . import samplers

_OPTION = re.compile(r"(?:^|\s)--(\S+)")
_SIDES = (8, 8192)
_MAX_SEED = 2**63 - 1


def expand(config: RunConfig, default_size: tuple[int, int]) -> list[SamplePrompt]:
    """One SamplePrompt for each of `RunConfig.sample_prompts`. ``default_size`` is (width, height)
    in pixels where neither prompt nor options give one.

    Raises ProblemsError with everything that is wrong in all of them.
    """
    prompts: list[SamplePrompt] = []
    problems: list[Problem] = []
    options = config.samples
    for where, line in config.sample_prompts().items():
        try:
            prompts.append(parse(line, options, default_size))
        except ProblemsError as error:
            problems += [
                Problem(problem.message, where, remedy=problem.remedy) for problem in error.problems
            ]
    try:
        samplers.find(options.sampler)
    except WizardError as error:
        problems.append(Problem(error.title, "samples.sampler", remedy=error.remedy))
    if problems:
        raise ProblemsError("The sample prompts cannot be drawn as written", problems)
    return prompts


def parse(line: str, options: SampleOptions, default_size: tuple[int, int]) -> SamplePrompt:
    """One prompt with the options of sd-scripts: ``--w --h`` size in pixels, ``--s`` steps,
    ``--l`` guidance, ``--d`` seed, ``--n`` negative prompt, ``--ss`` sampler.

    Raises ProblemsError with everything that is wrong in it.
    """
    found = list(_OPTION.finditer(line))
    starts = [match.start() for match in found]
    values: dict[str, Any] = {
        "prompt": line[: starts[0]].strip() if starts else line.strip(),
        "negative_prompt": options.negative_prompt,
        "width": options.width or default_size[0],
        "height": options.height or default_size[1],
        "steps": options.steps,
        "guidance": options.guidance,
        "seed": options.seed,
        # A wrong one is reported once, by `expand`, and not for every prompt.
        "sampler": _or_as_it_is(options.sampler),
    }
    problems: list[Problem] = []
    seen: set[str] = set()
    for match, end in zip(found, [*starts[1:], len(line)], strict=False):
        letter, text = match.group(1), line[match.end() : end].strip()
        try:
            name, value = _read(letter, text)
            if name in seen:
                raise _OptionError(f"--{letter} is there twice")
            seen.add(name)
            values[name] = value
        except _OptionError as error:
            problems.append(Problem(str(error), remedy=error.remedy))
    if problems:
        raise ProblemsError("The sample prompt cannot be drawn as written", problems)
    return SamplePrompt(**values)


class _OptionError(Exception):
    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


def _read(letter: str, text: str) -> tuple[str, Any]:
    if letter not in _READERS:
        raise _OptionError(
            f"--{letter} is not known", f"There are: {', '.join(map(_dashed, _READERS))}."
        )
    name, reader = _READERS[letter]
    try:
        return name, reader(text)
    except ValueError as error:
        raise _OptionError(f"--{letter} {text}: {error}") from None
    except WizardError as error:
        raise _OptionError(f"--{letter} {text}: {error.title}", error.remedy) from None


def _dashed(letter: str) -> str:
    return f"--{letter}"


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        # int() also takes underscores and the digits of every script, of any length.
        if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most} is needed")
        return int(text)

    return read


def _guidance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 100:
        raise ValueError("a number from 0 to 100 is needed")
    return value


def _or_as_it_is(sampler: str) -> str:
    try:
        return samplers.find(sampler)
    except WizardError:
        return sampler


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "w": ("width", _whole(*_SIDES)),
    "h": ("height", _whole(*_SIDES)),
    "d": ("seed", _whole(0, _MAX_SEED)),
    "s": ("steps", _whole(1, 1000)),
    "l": ("guidance", _guidance),
    "n": ("negative_prompt", str),
    "ss": ("sampler", samplers.find),
}
