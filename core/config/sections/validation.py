"""Pictures that are not trained on: `[validation]`."""

from __future__ import annotations

from ..options import Section, option


class ValidationOptions(Section):
    """A loss that can be compared: other pictures, the same noise every time."""

    folder: str = option(
        "",
        label="Validation pictures",
        help="A folder with a few pictures of the subject that are not trained on. Their loss is "
        "taken with the same noise every time: while it falls the LoRA learns, when it rises it "
        "only learns its own pictures by heart. Empty: none.",
        path=True,
    )
    every_epochs: int = option(
        1,
        label="Epochs between looks",
        help="Take the loss after every so many epochs; 0: not by epochs. It is always taken "
        "before the first step and after the last.",
        ge=0,
        le=100_000,
    )
    every_steps: int = option(
        0,
        label="Steps between looks",
        help="Take the loss after every so many steps; 0: not by steps.",
        ge=0,
        le=10**8,
    )
    timesteps: int = option(
        8,
        label="Timesteps per picture",
        help="How many timesteps each picture is looked at, evenly from little noise to much. More "
        "are steadier and take longer.",
        ge=1,
        le=1000,
    )
