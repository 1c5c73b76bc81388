"""A run's configuration: all sections together."""

from __future__ import annotations

from pydantic import Field

from .options import Section
from .sections.augmentation import AugmentationOptions
from .sections.captions import CaptionOptions
from .sections.dataset import DatasetOptions
from .sections.loss import LossOptions
from .sections.model import ModelOptions
from .sections.network import NetworkOptions
from .sections.optimizer import OptimizerOptions
from .sections.output import OutputOptions
from .sections.samples import SampleOptions
from .sections.training import TrainingOptions
from .sections.validation import ValidationOptions


class RunConfig(Section):
    """One run."""

    model: ModelOptions
    dataset: DatasetOptions = Field(default_factory=DatasetOptions)
    augmentation: AugmentationOptions = Field(default_factory=AugmentationOptions)
    captions: CaptionOptions = Field(default_factory=CaptionOptions)
    training: TrainingOptions = Field(default_factory=TrainingOptions)
    network: NetworkOptions = Field(default_factory=NetworkOptions)
    optimizer: OptimizerOptions = Field(default_factory=OptimizerOptions)
    loss: LossOptions = Field(default_factory=LossOptions)
    validation: ValidationOptions = Field(default_factory=ValidationOptions)
    samples: SampleOptions = Field(default_factory=SampleOptions)
    output: OutputOptions = Field(default_factory=OutputOptions)

    def sample_prompts(self) -> dict[str, str]:
        """What is drawn on the way: the TOML key of each prompt -> its line. Those of the concepts
        come after the run's own."""
        own = {f"samples.prompts[{at}]": line for at, line in enumerate(self.samples.prompts)}
        of_concepts = {
            f"dataset.concepts[{at}].sample_prompt": concept.sample_prompt
            for at, concept in enumerate(self.dataset.concepts)
        }
        lines = own | of_concepts
        return {
            key: line
            for key, line in lines.items()
            if line.strip() and not line.lstrip().startswith("#")
        }
