"""Measures pictures of the miniature world: what was asked for, and whether the subject is in.

Colours are read from pixels; shapes and the subject by two small networks that were trained on
drawings (see `build_judge.py`), never on what a model generated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from .assets import demo_folder
from .world import COLOURS, SHAPES, Scene

SIDE = 64
"""Pictures are judged at this many pixels a side."""

OTHER = "other"
CLASSES = (*SHAPES, OTHER)

_CONTRAST = 0.12
_SMALLEST_THING = 0.004


@dataclass(frozen=True)
class Reading:
    """What one picture shows: names of the world; `colour` is "" where nothing stands out."""

    colour: str
    background: str
    shape: str


@dataclass(frozen=True)
class SceneScore:
    """Shares (0 to 1) of the pictures in which each property is the one asked for."""

    colour: float
    background: float
    shape: float


class Classifier(nn.Sequential):
    """N x 3 x 64 x 64 pixels in [0, 1] to N x classes logits."""

    def __init__(self, classes: int) -> None:
        layers: list[nn.Module] = []
        width = 3
        for wider in (16, 32, 48, 64):
            layers += [nn.Conv2d(width, wider, 3, 2, 1), nn.GroupNorm(8, wider), nn.SiLU()]
            width = wider
        layers += [nn.Flatten(), nn.Dropout(0.1), nn.Linear(width * 16, classes)]
        super().__init__(*layers)


class Judge:
    """Reads pictures. Shape and subject come from networks, colours from the pixels."""

    def __init__(self, shapes: Classifier, subject: Classifier) -> None:
        self._shapes = shapes.eval().requires_grad_(False)
        self._subject = subject.eval().requires_grad_(False)

    @classmethod
    def load(cls, file: Path | None = None) -> "Judge":
        """The judge from a file, or the embedded one.

        Raises `FileNotFoundError` where there is none.
        """
        weights = load_file(file or demo_folder() / "judge.safetensors")
        judge = cls(Classifier(len(CLASSES)), Classifier(1))
        for name, module in (("shapes", judge._shapes), ("subject", judge._subject)):
            prefix = f"{name}."
            own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
            module.load_state_dict({k: v.float() for k, v in own.items()})
        return judge

    def save(self, file: Path) -> None:
        """Write both networks in half precision."""
        weights: dict[str, Tensor] = {}
        for name, module in (("shapes", self._shapes), ("subject", self._subject)):
            weights |= {f"{name}.{k}": v.half() for k, v in module.state_dict().items()}
        save_file(weights, file)

    @torch.no_grad()
    def scene(self, pixels: Tensor) -> list[Reading]:
        """Read each of N x 3 x H x W pictures in [0, 1]."""
        squares = to_square(pixels)
        backgrounds = background_colours(squares)
        colours = thing_colours(squares, backgrounds)
        shapes = self._shapes(squares).argmax(dim=1).tolist()
        return [
            Reading(colour, nearest_colour(ground), CLASSES[shape])
            for colour, ground, shape in zip(colours, backgrounds, shapes, strict=True)
        ]

    def score_scenes(self, pixels: Tensor, scenes: Sequence[Scene]) -> SceneScore:
        """How often the pictures (N x 3 x H x W in [0, 1]) show what the N scenes say.

        Raises `ValueError` where there is not one picture per scene.
        """
        if len(pixels) != len(scenes) or not scenes:
            raise ValueError(f"{len(pixels)} pictures for {len(scenes)} scenes")
        pairs = list(zip(self.scene(pixels), scenes, strict=True))
        colour = sum(seen.colour == scene.thing.shade.family for seen, scene in pairs)
        background = sum(seen.background == scene.background.family for seen, scene in pairs)
        shape = sum(seen.shape == scene.thing.kind for seen, scene in pairs)
        return SceneScore(colour / len(pairs), background / len(pairs), shape / len(pairs))

    @torch.no_grad()
    def subject_probability(self, pixels: Tensor) -> Tensor:
        """How sure it is, for each of N x 3 x H x W pictures in [0, 1], that the subject is in."""
        return self._subject(to_square(pixels)).squeeze(1).sigmoid()

    def subject_present(self, pixels: Tensor) -> Tensor:
        """Whether the sample dataset's subject is in each of N x 3 x H x W pictures in [0, 1]."""
        return self.subject_probability(pixels) > 0.5


def to_square(pixels: Tensor) -> Tensor:
    """Pictures of any size as N x 3 x 64 x 64: filled up with their border, then scaled."""
    height, width = pixels.shape[-2:]
    side = max(height, width)
    across, down = side - width, side - height
    padding = (across // 2, across - across // 2, down // 2, down - down // 2)
    square = functional.pad(pixels, padding, mode="replicate")
    if side == SIDE:
        return square
    return functional.interpolate(
        square, (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True
    ).clamp(0, 1)


def background_colours(pixels: Tensor) -> Tensor:
    """The median colour of each picture's outermost two pixels, N x 3."""
    edge = torch.zeros(pixels.shape[-2:], dtype=torch.bool)
    edge[:2], edge[-2:], edge[:, :2], edge[:, -2:] = True, True, True, True
    return pixels[:, :, edge].median(dim=2).values


def thing_colours(pixels: Tensor, backgrounds: Tensor) -> list[str]:
    """The name of the median colour of what stands out; "" where nothing does."""
    names: list[str] = []
    for picture, ground in zip(pixels.flatten(2), backgrounds, strict=True):
        distance = (picture - ground[:, None]).norm(dim=0)
        # Half way to the farthest leaves out the blend at the thing's edge.
        limit = max(_CONTRAST, 0.6 * distance.quantile(0.995).item())
        inside = picture[:, distance > limit]
        enough = inside.shape[1] > _SMALLEST_THING * picture.shape[1]
        names.append(nearest_colour(inside.median(dim=1).values) if enough else "")
    return names


def nearest_colour(rgb: Tensor) -> str:
    """The world's name for a colour of three values in [0, 1]."""
    palette = torch.tensor(list(COLOURS.values())) / 255
    return list(COLOURS)[int((palette - rgb).norm(dim=1).argmin())]
