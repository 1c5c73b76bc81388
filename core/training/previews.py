"""Sample pictures on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from ..families.base import ModelFamily, SamplePrompt
from ..run.job import Job
from ..sampling.pictures import write_picture
from .portions import is_out_of_memory


class _AskedToStopError(Exception):
    """The picture need not be finished."""


class Previews:
    """Draws the sample prompts with the network as it is now."""

    def __init__(self, job: Job, family: ModelFamily, prompts: Sequence[SamplePrompt]) -> None:
        self._job, self._family, self._prompts = job, family, prompts

    def first(self) -> Previews | None:
        """Of the first prompt alone; None without any."""
        return Previews(self._job, self._family, self._prompts[:1]) if self._prompts else None

    def draw(self, step: int, epoch: int, *, is_last: bool = False) -> bool:
        """Draw what is not there yet for ``step``. Ends early, in the middle of a picture, when a
        stop is asked for, and when the GPU's memory is too small; False then. With ``is_last``,
        when all is trained and saved, of the stops only a limit ends it. Raises WriteError."""
        if not self._prompts:
            self._job.emit(
                "problem",
                severity="warning",
                message="there are no sample prompts to draw",
                where="samples.prompts",
                remedy="A run draws what its TOML names; the next run can name some.",
            )
        missing = [
            (path, prompt)
            for path, prompt in zip(self._paths(step), self._prompts, strict=True)
            if not path.exists()
        ]
        if not missing:
            return True
        self._job.phase("sample", total=len(missing))
        ends = self._job.deadline.is_near if is_last else self._is_stopped
        for done, (path, prompt) in enumerate(missing):
            if ends() or not self._draw(path, prompt, step, epoch, ends):
                if is_last and ends():
                    self._tell_of_missing(len(missing) - done)
                return False
            self._job.progress(done + 1)
        return True

    def _is_stopped(self) -> bool:
        return self._job.stop_requested

    def _tell_of_missing(self, count: int) -> None:
        message = f"of the last samples {count} were not drawn: the time is up"
        self._job.emit("problem", severity="note", message=message, where="samples")

    def _draw(
        self, path: Path, prompt: SamplePrompt, step: int, epoch: int, ends: Callable[[], bool]
    ) -> bool:
        try:
            with self._interruptible(ends):
                (image,) = self._family.sample([prompt])
        except _AskedToStopError:
            return False
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            # Everything is saved: a missing picture is no reason to end a run.
            self._job.emit(
                "problem",
                severity="warning",
                message=f"the GPU's memory is too small for the samples of step {step}",
                where="samples",
                remedy="Smaller pictures need less: samples.width and samples.height.",
            )
            torch.cuda.empty_cache()
            return False
        write_picture(path, image, prompt, {"step": step, "epoch": epoch})
        self._job.emit(
            "sample",
            path=str(path.relative_to(self._job.directory.path)),
            step=step,
            epoch=epoch,
            prompt=prompt.prompt,
            seed=prompt.seed,
        )
        return True

    @contextlib.contextmanager
    def _interruptible(self, ends: Callable[[], bool]) -> Iterator[None]:
        """Raises _AskedToStopError between two steps of the denoising: on a slow machine a
        picture takes minutes, and a resume draws it anew."""

        def look(*_: object) -> None:
            if ends():
                raise _AskedToStopError

        handle = self._family.denoiser.register_forward_pre_hook(look)
        try:
            yield
        finally:
            handle.remove()

    def _paths(self, step: int) -> list[Path]:
        folder = self._job.directory.samples_path
        return [folder / f"step{step:08d}-{at:02d}.png" for at in range(1, len(self._prompts) + 1)]
