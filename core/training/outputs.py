"""The files of a run: written whole, noted in the manifest, and only then are old ones removed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from ..config import RunConfig
from ..files import write_bytes
from ..run.job import Job
from ..schedule import SavePoint, Schedule


class Outputs:
    """Writes and prunes ``<name>-000003.safetensors`` and its like."""

    def __init__(
        self,
        job: Job,
        config: RunConfig,
        schedule: Schedule,
        contents: Callable[[int, int], bytes],
    ) -> None:
        """``contents(step, epoch)`` gives the bytes of a file as the network is now."""
        self._job, self._schedule, self._contents = job, schedule, contents
        self._name, self._keep_last = config.output.name, config.output.keep_last
        self._points = schedule.save_steps()

    def write(self, point: SavePoint, epoch: int) -> None:
        """Write the file of ``point``. Raises WriteError; an older file then still stands."""
        name = self._file_name(point)
        data = self._contents(point.step, epoch)
        sha256 = write_bytes(self._job.directory.path / name, data)
        facts = {"step": point.step, "epoch": epoch, "sha256": sha256, "bytes": len(data)}
        self._job.directory.note_files({name: facts})
        self._job.emit("saved", path=name, **facts, last=point.is_final)

    def prune(self, step: int) -> None:
        """Remove what `output.keep_last` lets go of the scheduled files up to ``step``. Files that
        were asked for by hand stay."""
        if not self._keep_last:
            return
        passed = [point for point in self._points if point.step <= step and not point.is_final]
        directory = self._job.directory
        old = [self._file_name(point) for point in passed[: -self._keep_last]]
        there = [name for name in old if (directory.path / name).exists()]
        if there:
            directory.note_files({}, removed=there)
        for name in there:
            with contextlib.suppress(OSError):
                (directory.path / name).unlink()

    def _file_name(self, point: SavePoint) -> str:
        return f"{self._name}{point.suffix}.safetensors"


def asked_for(step: int) -> SavePoint:
    """The file of a save or a stop by hand."""
    return SavePoint(step, f"-step{step:08d}", None)
