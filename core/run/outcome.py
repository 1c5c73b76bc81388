"""What a run has made: its files, and the pictures that were drawn with each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import RunConfig
from ..errors import ProblemsError
from .choice import chosen
from .directory import RunDirectory
from .events import EventReader, decode
from .publish import published

_SAMPLE = re.compile(r"step(\d+)-(\d+)\.png")


@dataclass(frozen=True)
class Version:
    """The LoRA as it was after a step: a file, the pictures drawn then, or both."""

    step: int
    """0 is the base model."""
    epoch: int | None
    """The epoch that ends with the step, if one does."""
    file: str
    """Relative to the run; empty when none was saved at this step, or when it was pruned."""
    sha256: str
    bytes: int
    pictures: tuple[Path | None, ...]
    """One for each of the run's prompts, in their order; None where none was drawn."""

    @property
    def label(self) -> str:
        """What to call it: the base model, an epoch, a step."""
        if self.step == 0:
            return "base model"
        return f"epoch {self.epoch}" if self.epoch is not None else f"step {self.step}"


@dataclass(frozen=True)
class RunOutcome:
    """All that a run has made so far."""

    config: RunConfig
    versions: tuple[Version, ...]
    """In the order of their steps; the base model's pictures first."""
    prompts: tuple[str, ...]
    final: Version | None
    """The file without a number, once the run has finished."""
    chosen: str
    """The file that a person found the best; empty when none was."""
    published: tuple[str, ...]
    """Paths of copies elsewhere."""

    @classmethod
    def of(cls, run: RunDirectory) -> RunOutcome:
        """Read it from the run's directory; works while the run goes on. Raises WizardError when
        the run's configuration cannot be read."""
        config = run.config()
        names = _prompts(config)
        files = _by_step(run, config)
        pictures = _pictures(run)
        epochs = _epochs(run)
        final = f"{config.output.name}.safetensors"
        versions: list[Version] = []
        for step in sorted({*files, *pictures}):
            file, facts = files.get(step, ("", {}))
            drawn = pictures.get(step, {})
            versions.append(
                Version(
                    step=step,
                    epoch=epochs.get(step),
                    file=file,
                    sha256=str(facts.get("sha256", "")),
                    bytes=int(facts.get("bytes", 0)),
                    pictures=tuple(drawn.get(place) for place in range(1, len(names) + 1)),
                )
            )
        last = next((version for version in versions if version.file == final), None)
        return cls(config, tuple(versions), names, last, chosen(run), tuple(published(run)))

    @property
    def best(self) -> Version | None:
        """The chosen version, or else the final one, or else the last that has a file."""
        with_files = [version for version in self.versions if version.file]
        picked = next((item for item in with_files if item.file == self.chosen), None)
        return picked or self.final or (with_files[-1] if with_files else None)


def _prompts(config: RunConfig) -> tuple[str, ...]:
    from ..sampling.prompts import expand

    try:
        return tuple(item.prompt for item in expand(config, (512, 512)))
    except ProblemsError:
        return tuple(config.sample_prompts().values())


def _by_step(run: RunDirectory, config: RunConfig) -> dict[int, tuple[str, dict[str, Any]]]:
    """Step -> (file, its facts). A step saved twice, as an epoch's and as the final file, is named
    by the final one."""
    found: dict[int, tuple[str, dict[str, Any]]] = {}
    final = f"{config.output.name}.safetensors"
    for file, facts in sorted(run.manifest().items(), key=lambda item: item[0] == final):
        step = facts.get("step") if isinstance(facts, dict) else None
        if isinstance(step, int) and file.endswith(".safetensors") and (run.path / file).is_file():
            found[step] = (file, facts)
    return found


def _pictures(run: RunDirectory) -> dict[int, dict[int, Path]]:
    """Step -> number of the prompt, from 1 -> picture."""
    found: dict[int, dict[int, Path]] = {}
    for path in run.samples_path.glob("step*.png"):
        if match := _SAMPLE.fullmatch(path.name):
            found.setdefault(int(match[1]), {})[int(match[2])] = path
    return found


def _epochs(run: RunDirectory) -> dict[int, int]:
    """Step -> epoch, of the steps that an epoch has ended with. Read from the events: the dataset
    may be gone by now."""
    last: dict[int, int] = {}
    total = None
    for line in EventReader(run.events_path).lines():
        event = decode(line)
        if event is None or event["kind"] != "step":
            continue
        step, epoch, total = event.get("step"), event.get("epoch"), event.get("total")
        if isinstance(step, int) and isinstance(epoch, int):
            last[epoch] = step
    newest = max(last, default=0)
    return {step: epoch for epoch, step in last.items() if epoch < newest or step == total}
