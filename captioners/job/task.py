"""What a captioning job is told, and starting one. Nothing heavy is imported."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...core.config import CaptionOptions, DatasetOptions, RunConfig
from ...core.config.options import walk
from ...core.config.paths import resolve_path
from ...core.config.typed_section import checked
from ...core.dataset.caption_files import CaptionFiles, Mode
from ...core.run import tasks
from ...core.run.tasks import TaskDirectory
from .. import registry
from ..base import ModelOptions, ModelSpec
from ..model_files import stamps, version_of

WHAT = "caption"
MODULE = "lora_wizard.captioners.job"
_MEANS = frozenset({"batch_size", "device"})
"""Options that change nothing of what is written."""
_NOT_THE_MODELS = _MEANS | {"prefix"}
"""Options that change nothing of what the model says."""


@dataclass(frozen=True)
class CaptionTask:
    """Plain values, as JSON has them."""

    captioner: str
    options: Mapping[str, Any]
    mode: Mode
    dataset: Mapping[str, Any]
    """`DatasetOptions` as far as they say which pictures, paths absolute."""
    trigger_words: Sequence[str] = ()
    prefix: str | None = None
    """In front of every caption; None: the trigger words of the picture's concept."""
    lines: bool = False
    """Whether the lines of a caption are alternatives, and stay lines."""
    metadata: str = ""
    """A file of many captions, as `CaptionOptions` names it."""
    separator: str = ","
    """Between the tags of such a file."""

    @property
    def root(self) -> Path:
        """The folder that the job, and its captions' journal, are about."""
        return root_of(self.dataset_options)

    @property
    def dataset_options(self) -> DatasetOptions:
        return DatasetOptions.model_validate(dict(self.dataset))

    @property
    def caption_options(self) -> CaptionOptions:
        """How the captions that are there are read."""
        return CaptionOptions(
            metadata=self.metadata, separator=self.separator, wildcards=self.lines
        )

    @property
    def files(self) -> CaptionFiles:
        """The caption files that are written."""
        return CaptionFiles(self.root, lines=self.lines)

    def spec(self) -> ModelSpec:
        """The captioner. Raises UnknownNameError, BrokenPluginError."""
        spec = registry.find(self.captioner)
        assert isinstance(spec, ModelSpec), "one that answers at once needs no job"
        return spec

    def model_options(self) -> ModelOptions:
        """What the captioner is told. Raises ProblemsError."""
        options = checked(self.spec().options, self.options, self.spec().title)
        assert isinstance(options, ModelOptions)
        return options

    def settings_key(self) -> str:
        """The same for whatever makes a model say the same of a picture."""
        options = self.model_options()
        told = options.model_dump(mode="json", exclude=set(_NOT_THE_MODELS))
        return _hash([self.captioner, told, *_files_of(options)])

    def key(self) -> str:
        """The same for the same task, also when it is begun with other means."""
        options = {name: self.options[name] for name in self.options if name not in _MEANS}
        return _hash({**asdict(self), "options": options})


@dataclass(frozen=True)
class Pictures:
    """Which pictures a task is about, and how their captions are read."""

    dataset: DatasetOptions
    captions: CaptionOptions = field(default_factory=CaptionOptions)

    @classmethod
    def of_config(cls, config: RunConfig) -> Pictures:
        """Those of a configuration, whose paths are absolute."""
        return cls(config.dataset, config.captions)

    def task(
        self, captioner: str, options: Mapping[str, Any], mode: Mode, prefix: str | None = None
    ) -> CaptionTask:
        """To caption them."""
        captions = self.captions
        return CaptionTask(
            captioner,
            options,
            mode,
            self.plain(),
            list(captions.trigger_words),
            prefix,
            captions.wildcards,
            captions.metadata,
            captions.separator,
        )

    @property
    def root(self) -> Path:
        """See `root_of`."""
        return root_of(self.dataset)

    @property
    def files(self) -> CaptionFiles:
        """Their caption files."""
        return CaptionFiles(self.root, lines=self.captions.wildcards)

    def plain(self) -> dict[str, Any]:
        """As `CaptionTask.dataset` has them."""
        kept = {"folder", "concepts", "exclude"}
        return self.dataset.model_dump(mode="json", include=kept, exclude_defaults=True)


def root_of(dataset: DatasetOptions) -> Path:
    """By whose name the captions' journal goes: the dataset's folder, or its first concept's."""
    return Path(dataset.folder or dataset.concepts[0].folder)


def directory_of(root: Path) -> TaskDirectory:
    """Where the captioning job about ``root`` is, or would be."""
    return tasks.task_directory(WHAT, root)


def begin(
    task: CaptionTask, command: Sequence[str]
) -> tuple[TaskDirectory, subprocess.Popen[bytes]]:
    """Start the job. Raises AlreadyRunningError, StartError, WriteError."""
    return tasks.begin(WHAT, task.root, asdict(task), MODULE, command=command)


def _files_of(options: ModelOptions) -> Iterator[list[Any]]:
    """What tells the files that ``options`` name from others of the same names."""
    yield version_of(str(getattr(options, "model", "")))
    for info in walk(type(options)):
        if info.path and (name := getattr(options, info.key)):
            yield stamps([Path(resolve_path(str(name), Path.cwd()))])


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).hexdigest()
