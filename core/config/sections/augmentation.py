"""What varies from use to use of a picture: `[augmentation]`."""

from __future__ import annotations

from ..options import Section, option


class AugmentationOptions(Section):
    """What a picture varies in, drawn anew for each of its uses."""

    flip: bool = option(
        False,
        label="Mirror pictures",
        help="Mirrors half of the uses, left to right: more variety from few pictures. Leave it "
        "off for subjects that are not the same on both sides: a parting, a scar, lettering.",
        source="S2",
        also="flip_aug",
    )
    color: bool = option(
        False,
        label="Vary colours",
        help="Shifts hue, saturation, contrast and brightness a little for each use. Not for a "
        "style or subject whose colours matter. Needs dataset.cache_latents = false.",
        source="S3",
        also="color_aug",
    )
    random_crop: bool = option(
        False,
        label="Random crop",
        help="Cuts each use at another place, where a picture is larger than its bucket; else the "
        "middle is kept. Needs dataset.cache_latents = false.",
        source="sd-scripts",
    )

    @property
    def needs_pixels(self) -> bool:
        """Whether every use has to be encoded anew."""
        return self.color or self.random_crop
