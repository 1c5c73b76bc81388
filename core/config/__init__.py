"""The TOML of a run. Every option is defined once, in `sections`, with its limits, its help and its
source; `rules` say which contradict each other; `configfile` reads and writes files.

Sources: S0 to S4 are the guides most people learn from, listed in docs/sources.md; "sd-scripts"
is the tool most files in the wild come from.
"""

from .run_config import RunConfig
from .sections.augmentation import AugmentationOptions
from .sections.captions import CaptionOptions
from .sections.dataset import ConceptOptions, DatasetOptions
from .sections.loss import LossOptions
from .sections.model import ModelOptions, Precision
from .sections.network import NetworkOptions
from .sections.optimizer import OptimizerOptions, Rate
from .sections.output import OutputOptions
from .sections.samples import SampleOptions
from .sections.training import TrainingOptions
from .sections.validation import ValidationOptions

__all__ = [
    "AugmentationOptions",
    "CaptionOptions",
    "ConceptOptions",
    "DatasetOptions",
    "LossOptions",
    "ModelOptions",
    "NetworkOptions",
    "OptimizerOptions",
    "OutputOptions",
    "Precision",
    "Rate",
    "RunConfig",
    "SampleOptions",
    "TrainingOptions",
    "ValidationOptions",
]
