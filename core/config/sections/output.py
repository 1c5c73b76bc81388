"""Files and where they go: `[output]`."""

from __future__ import annotations

from ..options import Section, option
from .model import Precision


class OutputOptions(Section):
    """Where the files go."""

    name: str = option(
        "lora",
        label="LoRA name",
        help="The file's name without its ending.",
        source="S0 S1 S4",
        level="basic",
        allowed="a file name of at most 120 characters, without / and \\",
        pattern=r"^[^/\\\x00-\x1f]{1,120}$",
        also="output_name",
    )
    folder: str = option(
        "output",
        label="Output folder",
        help="Each run gets a folder of its own in it.",
        source="S0 S1 S4",
        level="basic",
        min_length=1,
        also="output_dir",
        path=True,
    )
    publish_to: str = option(
        "",
        help="A folder that gets a copy of the finished file, such as ComfyUI's models/loras or "
        "A1111's models/Lora. Choosing another epoch afterwards replaces the copy; other files "
        "are never touched.",
        source="S0 S1",
        path=True,
    )
    comment: str = option(
        "", help='Kept in the file, such as "trigger: mika".', source="S4", also="training_comment"
    )
    save_every_epochs: int = option(
        1,
        label="Epochs between files",
        help="Keep a file after every so many epochs; 0: not by epochs.",
        source="S4",
        ge=0,
        le=100_000,
        level="basic",
        also="save_every_n_epochs",
    )
    save_every_steps: int = option(
        0,
        label="Steps between files",
        help="Keep a file after every so many steps; 0: not by steps.",
        ge=0,
        le=10**8,
        also="save_every_n_steps",
    )
    keep_last: int = option(
        0,
        label="Files to keep",
        help="How many of these files to keep; 0: all.",
        ge=0,
        le=100_000,
        also="save_last_n_epochs",
    )
    save_precision: Precision | None = option(
        None,
        help="The numbers in the file; as model.precision if absent.",
        source="S0 S1 S4",
    )
