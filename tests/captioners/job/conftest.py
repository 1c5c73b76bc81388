from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import toy_captioner
from lora_wizard.captioners.job.task import CaptionTask, Pictures, begin, directory_of
from lora_wizard.core.config import DatasetOptions
from lora_wizard.core.dataset.caption_files import CaptionFiles, Mode
from lora_wizard.core.errors import WizardError
from lora_wizard.core.run import control
from lora_wizard.core.run.events import Event, EventReader
from lora_wizard.core.run.tasks import TaskDirectory
from PIL import Image


def colour_of(number: int) -> tuple[int, int, int]:
    """Each picture has its own; none is black or grey."""
    return 255, number // 256, number % 256


def text_of(number: int, style: str = "plain") -> str:
    """What the toy says of a picture."""
    return "{} colour {} {} {}".format(style, *colour_of(number))


@dataclass
class Captioned:
    """A folder of one-coloured pictures, and jobs about it."""

    folder: Path
    asked_path: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def draw(self, count: int) -> None:
        for number in range(count):
            Image.new("RGB", (4, 4), colour_of(number)).save(self.picture(number))

    def picture(self, number: int) -> Path:
        return self.folder / f"{number:05d}.png"

    def caption(self, number: int) -> Path:
        return self.picture(number).with_suffix(".txt")

    def captions(self) -> dict[int, str]:
        """What stands in the caption files."""
        found = [path for path in sorted(self.folder.glob("*.txt")) if not path.is_symlink()]
        return {int(path.stem): path.read_text().removesuffix("\n") for path in found}

    def expected(self, numbers: Sequence[int], before: str = "", style: str = "plain") -> Any:
        return {number: before + text_of(number, style) for number in numbers}

    @property
    def asked(self) -> Counter[str]:
        """How often the model was shown each colour."""
        if not self.asked_path.exists():
            return Counter()
        return Counter(self.asked_path.read_text().splitlines())

    @property
    def directory(self) -> TaskDirectory:
        return directory_of(self.folder)

    @property
    def files(self) -> CaptionFiles:
        return CaptionFiles(self.folder)

    def events(self, kind: str = "") -> list[Event]:
        events = EventReader(self.directory.events_path).read()
        return [event for event in events if not kind or event["kind"] == kind]

    def task(self, mode: Mode = "missing", **options: Any) -> CaptionTask:
        prefix = options.pop("prefix", None)
        words = options.pop("trigger_words", ())
        exclude = options.pop("exclude", [])
        dataset = DatasetOptions(folder=str(self.folder), exclude=exclude)
        plain = Pictures(dataset).plain()
        return CaptionTask("toy", options, mode, plain, words, prefix)

    def begin(self, mode: Mode = "missing", **options: Any) -> subprocess.Popen[bytes]:
        _, process = begin(self.task(mode, **options), ["lora-wizard", "caption", "pictures"])
        self.processes.append(process)
        return process

    def run(self, mode: Mode = "missing", **options: Any) -> int:
        """Start a job and wait for it; its exit status."""
        return self.begin(mode, **options).wait(60)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy is installed, for the processes that are started here and for this one."""
    toy_captioner.install(tmp_path, monkeypatch)


@pytest.fixture
def pictures(plugin: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Captioned]:
    """An empty folder; no job about it outlives the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state of the user"))
    made = Captioned(tmp_path / "pictures", tmp_path / "asked")
    made.folder.mkdir()
    yield made
    with suppress(WizardError):
        control.kill(made.directory)
    for process in made.processes:
        process.wait()
