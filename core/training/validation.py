"""The loss of pictures that are not trained on.

Every picture is looked at with the same noise at the same timesteps each time, and none of the
weights and offsets of training: between two looks only the network differs, so that the numbers can
be compared between epochs, and between runs of the same base and pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from ..config import RunConfig
from ..dataset.captions import final_caption
from ..dataset.plan import Draw, Sample
from ..dataset.validation import validation_config
from ..dataset.views import plain_view
from ..families.base import Batch, ModelFamily
from ..run.job import Job
from ..sampling.drawing import evaluating
from . import draws as keyed
from .batches import Pictures, Prompts, geometry_of
from .loss import sample_errors


class Validation:
    """Takes the validation loss with the network as it is."""

    def __init__(
        self,
        job: Job,
        config: RunConfig,
        family: ModelFamily,
        samples: Sequence[Sample],
        trained: Sequence[torch.nn.Module],
        pictures: Pictures,
        conditioning: Prompts,
        device: torch.device,
    ) -> None:
        """``trained``: the parts of the base that the network hangs on."""
        self._trained = trained
        self._job, self._family, self._samples, self._device = job, family, samples, device
        self._pictures, self._conditioning = pictures, conditioning
        self._count, self._seed = config.validation.timesteps, config.training.seed
        self._captions = validation_config(config)
        self.looked_at: int | None = None
        """The step of the last loss. Part of the run's state: a resume makes up for the one that a
        stop came before."""

    def measure(self, step: int, *, is_last: bool = False) -> float | None:
        """The mean over pictures and timesteps, also told as an event; None when a stop came in
        between. With ``is_last``, when all is trained and saved, only a limit ends it."""
        if is_last and self._job.deadline.is_near():
            message = "the last validation loss was not taken: the time is up"
            self._job.emit("problem", severity="note", message=message, where="validation")
            return None
        self._job.phase("validate", total=len(self._samples))
        errors: list[float] = []
        with torch.no_grad(), evaluating(*self._trained):
            for done, sample in enumerate(self._samples):
                if self._job.stop_requested and not is_last:
                    return None
                errors += self._of_picture(sample)
                self._job.progress(done + 1)
        loss = sum(errors) / len(errors)
        self._job.emit("validation", step=step, loss=loss)
        self.looked_at = step
        return loss

    def _of_picture(self, sample: Sample) -> Iterator[float]:
        # One at a time: the loss then depends on no batch size and no memory.
        draws = [Draw(sample, 0, index) for index in range(self._count)]
        view = plain_view(sample)
        encoded = self._pictures.encoded([view]).to(self._device)
        masks = self._pictures.masks
        mask = masks([view]).to(self._device) if masks else None
        caption = final_caption(draws[0], self._captions)
        conditioning = {
            name: tensor.to(self._device) for name, tensor in self._conditioning([caption]).items()
        }
        geometry = torch.tensor([geometry_of(view)], dtype=torch.float32, device=self._device)
        shape = self._family.latent_shape(sample.bucket.width, sample.bucket.height)
        for index, draw in enumerate(draws):
            latents = self._family.draw_latents(encoded, self._normal(draw, keyed.VAE_NOISE, shape))
            uniform = torch.tensor([(index + 0.5) / self._count])
            timesteps = self._family.draw_timesteps(uniform).to(self._device)
            noise = self._normal(draw, keyed.NOISE, shape)
            batch = Batch(latents, conditioning, geometry, mask)
            prediction, target = self._family.predict(batch, noise, timesteps)
            yield sample_errors(prediction, target, mask=mask).item()

    def _normal(self, draw: Draw, purpose: str, shape: Sequence[int]) -> torch.Tensor:
        purpose = f"validation {purpose}"
        return keyed.normal([draw], self._seed, purpose, shape).to(self._device)
