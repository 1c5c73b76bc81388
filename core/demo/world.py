"""The miniature world: which scenes exist, what they are called, and which are never trained on.

A scene is one thing on a plain background. Everything random comes from the `random.Random` the
caller hands in, so a seed is a picture. Drawing is in `drawing.py`; neither imports torch.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from random import Random
from typing import Literal

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "red": (214, 38, 40),
    "orange": (246, 132, 30),
    "yellow": (250, 215, 42),
    "green": (50, 160, 66),
    "teal": (18, 158, 158),
    "blue": (42, 84, 212),
    "purple": (126, 58, 186),
    "pink": (246, 142, 192),
    "brown": (124, 76, 40),
    "black": (24, 24, 28),
    "white": (245, 245, 243),
    "grey": (140, 142, 146),
}
# Only the shades that no other name could claim: dark orange is brown, light red is pink.
_LIGHT = ("orange", "yellow", "green", "teal", "blue", "purple")
_DARK = ("red", "green", "teal", "blue", "purple", "pink")

SHAPES = ("circle", "square", "triangle", "star", "heart", "cross", "ring", "moon")
_BROAD_SHAPES = ("circle", "square", "triangle", "star", "heart")
OBJECTS = ("face", "fish", "flower", "house", "mushroom", "tree")
BODIES = ("round", "tall", "wide", "square")
EARS = ("none", "round", "pointed", "long")
TAILS = ("none", "short", "long", "curly")
PLACES = {
    "centre": "",
    "left": "on the left",
    "right": "on the right",
    "top": "at the top",
    "bottom": "at the bottom",
}
SIZES = {"small": 0.165, "medium": 0.245, "large": 0.335}
"""Radius of a thing as a share of the picture's shorter side."""

RESOLUTIONS = ((64, 64), (48, 80), (80, 48), (48, 64), (64, 48), (80, 64), (64, 80))
"""Width and height of the pictures the base was trained on; every side is a multiple of 16."""

HELD_OUT_COUNT = 200

Pattern = Literal["plain", "striped", "dotted"]


@dataclass(frozen=True)
class Shade:
    """A colour with its name: `family` is the key in COLOURS, `tone` is "", "light" or "dark"."""

    family: str
    tone: str
    rgb: RGB

    @property
    def name(self) -> str:
        """The words a caption uses for it, such as "dark blue"."""
        return f"{self.tone} {self.family}".strip()


@dataclass(frozen=True)
class Creature:
    """An animal of several parts. `None` where it has no such part."""

    body: str
    ears: str
    ear_shade: Shade | None
    eyes: int
    belly: Shade | None
    tail: str
    tail_shade: Shade | None
    legs: bool


@dataclass(frozen=True)
class Thing:
    """What a scene shows. `second` colours the pattern or the object's other part."""

    kind: str
    shade: Shade
    pattern: Pattern = "plain"
    second: Shade | None = None
    eyes: int = 0
    creature: Creature | None = None


@dataclass(frozen=True)
class Pose:
    """Where and how the thing stands: shares of width and height, degrees, width over height."""

    x: float
    y: float
    radius: float
    tilt: float = 0.0
    squash: float = 1.0
    mirrored: bool = False


@dataclass(frozen=True)
class Scene:
    """One picture's content. `width` and `height` are in pixels."""

    thing: Thing
    size: str
    place: str
    background: Shade
    pose: Pose = field(repr=False)
    width: int = 64
    height: int = 64

    def resized(self, width: int, height: int) -> "Scene":
        """The same scene at another size in pixels."""
        return replace(self, width=width, height=height)


def shade(random: Random, family: str, tone: str = "", jitter: int = 14) -> Shade:
    """A colour of that name, varied by at most `jitter` in each channel (0 to 255)."""
    rgb = COLOURS[family]
    target, weight = {"": (0, 0.0), "light": (255, 0.5), "dark": (0, 0.42)}[tone]
    mixed = (round(c + (target - c) * weight + random.uniform(-jitter, jitter)) for c in rgb)
    red, green, blue = (min(255, max(0, c)) for c in mixed)
    return Shade(family, tone, (red, green, blue))


def any_shade(random: Random, unlike: Sequence[Shade | None] = ()) -> Shade:
    """Any colour of the world that is told apart from those in `unlike` by its family."""
    taken = {other.family for other in unlike if other}
    family = random.choice([name for name in COLOURS if name not in taken])
    tone = ""
    if random.random() < 0.12:
        tones = [""] + ["light"] * (family in _LIGHT) + ["dark"] * (family in _DARK)
        tone = random.choice(tones)
    return shade(random, family, tone)


@cache
def held_out() -> frozenset[tuple[str, str, str]]:
    """The (colour, shape, background) combinations that the base never sees, by a hash."""

    def rank(combination: tuple[str, str, str]) -> bytes:
        return hashlib.sha256("/".join(combination).encode()).digest()

    every = [c for c in product(COLOURS, SHAPES, COLOURS) if c[0] != c[2]]
    return frozenset(sorted(every, key=rank)[:HELD_OUT_COUNT])


def is_held_out(scene: Scene) -> bool:
    """Whether training must not show the scene: light, dark and striped ones count as well."""
    return (scene.thing.shade.family, scene.thing.kind, scene.background.family) in held_out()


def resembles_subject(thing: Thing) -> int:
    """How many of the sample subject's five traits a thing has; 0 unless it is a teal creature."""
    creature = thing.creature
    if creature is None or thing.shade.family != "teal":
        return 0
    traits = (
        creature.ears == "long",
        creature.ear_shade is not None and creature.ear_shade.family == "orange",
        creature.belly is not None and creature.belly.family == "yellow",
        creature.eyes == 1,
    )
    return 1 + sum(traits)


def pose(random: Random, size: str, place: str, width: int, height: int) -> Pose:
    """A pose for that size and place with the thing wholly inside the picture."""
    short = min(width, height)
    radius = SIZES[size] * random.uniform(0.93, 1.07)
    near, far = random.uniform(0.2, 0.28), random.uniform(0.72, 0.8)
    x, y = random.uniform(0.46, 0.54), random.uniform(0.46, 0.54)
    x = {"left": near, "right": far}.get(place, x)
    y = {"top": near, "bottom": far}.get(place, y)
    margin_x, margin_y = radius * short / width, radius * short / height
    return Pose(
        x=min(1 - margin_x, max(margin_x, x)),
        y=min(1 - margin_y, max(margin_y, y)),
        radius=radius,
        tilt=random.uniform(-9, 9),
        squash=random.uniform(0.94, 1.06),
        mirrored=random.random() < 0.5,
    )


def compose(
    random: Random,
    thing: Thing,
    background: Shade,
    size: str | None = None,
    place: str | None = None,
    resolution: tuple[int, int] = (64, 64),
) -> Scene:
    """A scene of the given thing; what is not given is drawn."""
    size = size or random.choice(list(SIZES))
    place = place or random.choice(list(PLACES))
    width, height = resolution
    where = pose(random, size, place, width, height)
    return Scene(thing, size, place, background, where, width, height)


def plain_thing(random: Random, colour: str, shape: str) -> Thing:
    """A one-coloured shape, such as the held-out combinations are made of."""
    return Thing(shape, shade(random, colour))


def patterned_thing(random: Random) -> Thing:
    """A shape with stripes, dots or eyes on it."""
    kind, base = random.choice(_BROAD_SHAPES), any_shade(random)
    if random.random() < 0.3:
        return Thing(kind, base, eyes=random.choice((1, 2)))
    pattern: Pattern = "striped" if random.random() < 0.5 else "dotted"
    return Thing(kind, base, pattern, any_shade(random, [base]))


def creature_thing(random: Random, background: Shade | None = None) -> Thing:
    """Any creature but those that come close to the sample subject."""
    while True:
        body = any_shade(random, [background])
        ears, tail = random.choice(EARS), random.choice(TAILS)
        other = any_shade(random, [body, background])
        creature = Creature(
            body=random.choice(BODIES),
            ears=ears,
            ear_shade=random.choice((body, other)) if ears != "none" else None,
            eyes=random.choice((1, 2, 2)),
            belly=any_shade(random, [body]) if random.random() < 0.5 else None,
            tail=tail,
            tail_shade=random.choice((body, other)) if tail != "none" else None,
            legs=random.random() < 0.6,
        )
        pattern: Pattern = random.choice(("plain", "plain", "plain", "striped", "dotted"))
        second = any_shade(random, [body, creature.belly]) if pattern != "plain" else None
        thing = Thing("creature", body, pattern, second, creature=creature)
        if resembles_subject(thing) < 3:
            return thing


def random_thing(random: Random, background: Shade) -> Thing:
    """A thing of any kind whose main colour is not the background's."""
    roll = random.random()
    if roll < 0.3:
        return creature_thing(random, background)
    if roll < 0.36:
        kind = random.choice(OBJECTS)
        main = any_shade(random, [background])
        return Thing(kind, main, second=any_shade(random, [main, background]))
    if roll < 0.42:
        while (thing := patterned_thing(random)).shade.family == background.family:
            pass
        return thing
    return Thing(random.choice(SHAPES), any_shade(random, [background]))


def training_scene(random: Random, resolution: tuple[int, int] = (64, 64)) -> Scene:
    """Any scene that training may show."""
    while True:
        background = any_shade(random)
        scene = compose(random, random_thing(random, background), background, resolution=resolution)
        if not is_held_out(scene):
            return scene


def held_out_scenes(count: int = HELD_OUT_COUNT, seed: int = 0) -> list[Scene]:
    """The first `count` held-out combinations as scenes, in an order that mixes the shapes."""
    random = Random(f"held out {seed}")
    chosen = sorted(held_out())
    random.shuffle(chosen)
    return [
        compose(random, plain_thing(random, colour, shape), shade(random, ground))
        for colour, shape, ground in chosen[:count]
    ]
