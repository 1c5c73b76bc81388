"""A run on the disk: everything there is to know about it is in its directory.

::

    config.toml      the frozen configuration, paths absolute
    run.json         what it is and how it ended (RunRecord)
    lock             held while a job works here (core.run.lock)
    events.jsonl     what the job says, for programs (core.run.events)
    trainer.log      what the job says, for people, with full tracebacks
    control/         requests to the job: empty files named stop, save, sample, pause
    state/           what a resume needs
    samples/         pictures drawn on the way
    <name>-NNNNNN.safetensors, <name>.safetensors
    manifest.json    the SHA-256 of every finished file, written last
    published.json   copies elsewhere (core.run.publish)
    chosen.json      the file that a person found the best (core.run.choice)
    measured.json    how well it learned, where that is measured (core.run.measure)
    report.html      all of it on one page (core.report)
"""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, Self

from ..config import RunConfig, configfile
from ..errors import WizardError
from ..files import write_json
from . import registry
from .lock import is_live
from .lost_record import from_events

TRAIN = "train"
"""`RunRecord.what` of the runs that are listed."""
Outcome = Literal["created", "running", "finished", "stopped", "failed"]
"""``running`` in the record of a run whose lock is free means that it was killed."""


@dataclass(frozen=True)
class RunRecord:
    """``run.json``."""

    what: str
    """The kind of job: ``train``, or that of a task (`core.run.tasks`)."""
    version: str
    """Of lora-wizard."""
    created: float
    """Seconds since 1970."""
    command: list[str] = field(default_factory=list)
    """What the person typed."""
    outcome: Outcome = "created"
    attempts: int = 0
    """How often a job has worked on it: 1, and one more per resume."""
    exit_code: int | None = None
    """Of the last attempt, once it has ended by itself."""
    error: dict[str, str] | None = None
    """``title``, ``message`` and ``remedy``, when the outcome is ``failed``."""
    resume_helps: bool = True
    """False when it failed so that a resume of the same would fail again: the remedy says what to
    do instead."""
    pid: int | None = None
    """Of the last attempt, for people; whether it lives, only the lock knows."""
    measure: str = ""
    """What measures how well it learned, once it has finished: a key of
    `core.run.measure.MODULES`, or nothing."""


class RunDirectory:
    """One run's directory. Make one with `create`, come back to one with `open`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config_path = path / "config.toml"
        self.record_path = path / "run.json"
        self.lock_path = path / "lock"
        self.events_path = path / "events.jsonl"
        self.log_path = path / "trainer.log"
        self.control_path = path / "control"
        self.state_path = path / "state"
        self.samples_path = path / "samples"
        self.manifest_path = path / "manifest.json"

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    @property
    def name(self) -> str:
        return self.path.name

    @classmethod
    def create(
        cls,
        config: RunConfig,
        *,
        command: Sequence[str] = (),
        what: str = TRAIN,
        measure: str = "",
    ) -> RunDirectory:
        """Make ``output.folder/output.name``, or the same with -2, -3 ... when that exists, with a
        frozen copy of ``config``. Relative paths count from the working folder.

        Raises WizardError when the folder cannot be made, WriteError when it cannot be written.
        """
        frozen = configfile.loads(configfile.dumps(config), Path.cwd())
        directory = cls(_claim(Path(frozen.output.folder), frozen.output.name))
        try:
            configfile.write(frozen, directory.config_path)
            record = RunRecord(what, wizard_version(), time.time(), list(command), measure=measure)
            directory.write_record(record)
        except BaseException:
            shutil.rmtree(directory.path, ignore_errors=True)
            raise
        if what == TRAIN:
            registry.remember(directory.path)
        return directory

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """The run at ``path``; WizardError when there is none."""
        directory = cls(Path(path).absolute())
        if not directory.path.is_dir():
            raise WizardError(
                "There is no such run",
                f"{directory.path} is not a folder.",
                "`lora-wizard status --all` lists the runs of this machine.",
            )
        if not directory.record_path.is_file():
            raise WizardError(
                "This folder is not a run",
                f"{directory.path} has no run.json.",
                "Give the folder that `lora-wizard train` made, inside output.folder.",
            )
        directory.record()
        return directory

    def config(self) -> RunConfig:
        """The frozen configuration; WizardError when it is damaged."""
        return configfile.load(self.config_path)

    def record(self) -> RunRecord:
        """``run.json``. Where that is damaged and the configuration is not, what the events tell
        instead; WizardError when neither can be read."""
        try:
            return self._stored_record()
        except OSError as error:
            raise self._unreadable(error) from error
        except (ValueError, TypeError, AttributeError) as error:
            if not self.config_path.is_file():
                raise self._unreadable(error) from error
        created = self.config_path.stat().st_mtime
        return RunRecord(
            **{"what": TRAIN, "version": "", "created": created, **from_events(self.events_path)}
        )

    def record_is_damaged(self) -> bool:
        """Whether `record` has to be told from the events."""
        try:
            self._stored_record()
        except (OSError, ValueError, TypeError, AttributeError):
            return True
        return False

    def _stored_record(self) -> RunRecord:
        values = json.loads(self.record_path.read_bytes())
        known = {item.name for item in fields(RunRecord)}
        return RunRecord(**{key: value for key, value in values.items() if key in known})

    def _unreadable(self, error: Exception) -> WizardError:
        return WizardError(
            "The run's record cannot be read",
            f"{self.record_path}: {error}",
            "Its files stay as they are. Start the same again from its config.toml, which makes a "
            "new run.",
        )

    def update(self, **changes: Any) -> RunRecord:
        """Change fields of the record; only for whoever holds the lock."""
        record = replace(self.record(), **changes)
        self.write_record(record)
        return record

    def is_live(self) -> bool:
        """Whether a job works here now."""
        return is_live(self.lock_path)

    def manifest(self) -> dict[str, dict[str, Any]]:
        """Finished files: path relative to the run -> ``sha256`` and what else was noted. Empty
        when there are none, or when the manifest is damaged."""
        try:
            files = json.loads(self.manifest_path.read_bytes())["files"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return files if isinstance(files, dict) else {}

    def note_files(self, added: dict[str, dict[str, Any]], removed: Sequence[str] = ()) -> None:
        """Put finished files into the manifest, after they were written, or take pruned ones out,
        before they are deleted: what it names is there, whole."""
        kept = {name: facts for name, facts in self.manifest().items() if name not in removed}
        write_json(self.manifest_path, {"files": kept | added})

    def again(self) -> str:
        """What to type to go on with it. Raises WizardError."""
        record = self.record()
        if record.what == TRAIN or not record.command:
            return f"lora-wizard resume {shlex.quote(str(self.path))}"
        return shlex.join(record.command)

    def write_record(self, record: RunRecord) -> None:
        """Write ``run.json``; only for whoever holds the lock, or makes the directory."""
        write_json(self.record_path, asdict(record))


def find_run(name: str | Path | None = None) -> RunDirectory:
    """The run that a person means: a path, the name of a run of this machine, or, without either,
    the one that was started last. WizardError when there is none, or several of the name."""
    if name is None:
        known = known_runs()
        if not known:
            raise WizardError(
                "There is no run yet", "", "Start one with `lora-wizard train CONFIG.toml`."
            )
        return known[0]
    if RunDirectory(Path(name)).record_path.is_file():
        return RunDirectory.open(name)
    named = [run for run in known_runs() if run.name == str(name)]
    if len(named) == 1:
        return named[0]
    if not named:
        return RunDirectory.open(name)
    raise WizardError(
        f"Several runs are called {name}",
        "\n".join(str(run.path) for run in named),
        "Give the path of the one you mean.",
    )


def known_runs() -> list[RunDirectory]:
    """All runs of this machine that are still there, the last started first."""
    runs = (RunDirectory(path) for path in registry.remembered())
    return [run for run in runs if run.record_path.is_file()]


def _claim(folder: Path, name: str) -> Path:
    """A new directory. mkdir is what decides between processes that start at the same time."""
    number = 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = folder / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            for inside in ("control", "state", "samples"):
                (path / inside).mkdir()
            return path
    except OSError as error:
        raise WizardError(
            "The run's folder cannot be made",
            f"{folder / name}: {error.strerror or error}",
            "Choose another output.folder or output.name, or change the folder's permissions.",
        ) from error


def wizard_version() -> str:
    """The installed version of lora-wizard."""
    try:
        return version("lora-wizard")
    except PackageNotFoundError:
        return "unknown"
