"""``python -m lora_wizard.core.demo.outcome RUN_DIR``: what a run of the demo taught.

The same measure for the person who runs the demo and for the tests: with the LoRA's file and
without it, the same prompts and seeds are drawn, and the judge looks at both. The subject must be
there with the LoRA and not without; everything else must stay as the base draws it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..report import write_report
from ..run.directory import RunDirectory
from ..run.measure import Measurement, measure_run
from .captions import caption
from .world import Scene, held_out_scenes

if TYPE_CHECKING:
    import torch

    from ..config import RunConfig
    from ..families.base import ModelFamily, SamplePrompt
    from .judge import Judge

SUBJECT_SEEDS = 20
SCENES = 30
BATCH = 10


@dataclass(frozen=True)
class Measured:
    """Shares from 0 to 1, over ``seeds`` pictures of the subject and ``scenes`` held-out scenes."""

    subject_with: float
    subject_without: float
    scenes_with: float
    """Mean of the shares in which colour, background and shape are as asked for."""
    scenes_without: float
    seeds: int
    scenes: int

    @property
    def has_learned(self) -> bool:
        """The subject is there in 80 % with the LoRA and at most 10 % without, and the base lost at
        most 10 points of what it could."""
        return (
            self.subject_with >= 0.8
            and self.subject_without <= 0.1
            and self.scenes_without - self.scenes_with <= 0.1
        )

    def in_words(self) -> tuple[str, ...]:
        """As sentences with their numbers."""
        verdict = "It learned." if self.has_learned else "It did not learn what it should have."
        return (
            verdict,
            f"The creature is in {self.subject_with:.0%} of {self.seeds} pictures with the LoRA, "
            f"in {self.subject_without:.0%} without.",
            f"Of {self.scenes} other scenes the base model gets {self.scenes_without:.0%} of "
            f"colours, backgrounds and shapes right; with the LoRA {self.scenes_with:.0%}.",
        )


def measure(run: RunDirectory) -> Measurement:
    """The work of the job."""
    from .judge import Judge

    family, network = _load(run.config(), run)
    judge = Judge.load()
    scenes = held_out_scenes(SCENES)
    prompts = _prompts(scenes)
    found = [_judged(judge, _draw(family, network, prompts, on), scenes) for on in (True, False)]
    (subject_with, scenes_with), (subject_without, scenes_without) = found
    measured = Measured(
        subject_with, subject_without, scenes_with, scenes_without, SUBJECT_SEEDS, len(scenes)
    )
    return Measurement(measured.has_learned, measured.in_words(), asdict(measured))


def _load(config: RunConfig, directory: RunDirectory) -> tuple[ModelFamily, Any]:
    """The base model with the run's finished file, as any other program would read it."""
    import torch

    from ..families import registry as families
    from ..families.base import load_implementation
    from ..networks import registry as networks
    from ..weights import kohya

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    family = load_implementation(families.find(config.model.family))(config.model, device)
    parts = ["denoiser", *family.text_encoders]
    network = networks.attach(family, config.network, config.training.seed, parts)
    tensors, _ = kohya.read(directory.path / f"{config.output.name}.safetensors")
    network.load_file_tensors(tensors)
    return family, network


def _prompts(scenes: Sequence[Scene]) -> list[SamplePrompt]:
    """The subject in all places on many backgrounds, then the scenes; one seed each."""
    from ..families.base import SamplePrompt
    from .measure import GUIDANCE, STEPS, subject_prompts

    texts = subject_prompts(SUBJECT_SEEDS) + [caption(scene) for scene in scenes]
    return [
        SamplePrompt(text, "", 64, 64, STEPS, GUIDANCE, seed, "euler_a")
        for seed, text in enumerate(texts)
    ]


def _draw(
    family: ModelFamily, network: Any, prompts: Sequence[SamplePrompt], on: bool
) -> torch.Tensor:
    """Pictures of all prompts, N x 3 x H x W in [0, 1]."""
    from .pixels import to_pixels

    pictures = []
    with network.enabled(on):
        for start in range(0, len(prompts), BATCH):
            pictures += family.sample(prompts[start : start + BATCH])
    return to_pixels(pictures)


def _judged(judge: Judge, pixels: torch.Tensor, scenes: Sequence[Scene]) -> tuple[float, float]:
    """(share of pictures with the subject, score of the scenes)."""
    subject = judge.subject_present(pixels[:SUBJECT_SEEDS]).float().mean().item()
    score = judge.score_scenes(pixels[SUBJECT_SEEDS:], scenes)
    return subject, (score.colour + score.background + score.shape) / 3


def main() -> int:
    """Measure the run, and leave its page with what was found; returns the exit status."""
    path = sys.argv[1]
    status = measure_run(path, measure)
    if status == 0:
        write_report(RunDirectory.open(path))
    return status


if __name__ == "__main__":
    sys.exit(main())
