"""The TOML of a run. Every option is defined once, in `run_config`, `dataset_options` or
`training_options`, with its limits, its help and its source; `configfile` reads and writes files.

Sources: S0 to S4 are the guides most people learn from, listed in docs/sources.md; "sd-scripts"
is the tool most files in the wild come from.
"""

from .dataset_options import CaptionOptions, ConceptOptions, DatasetOptions
from .run_config import ModelOptions, OutputOptions, Precision, RunConfig, SampleOptions
from .training_options import (
    LossOptions,
    NetworkOptions,
    OptimizerOptions,
    Rate,
    TrainingOptions,
)

__all__ = [
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
]
