"""Draws the miniature world's scenes with Pillow, supersampled so that edges are clean."""

import itertools
import math
from collections.abc import Callable, Iterable

from PIL import Image, ImageDraw

from .world import RGB, Creature, Pose, Scene, Thing

Point = tuple[float, float]

_SUPERSAMPLING = 4
_WHITE: RGB = (248, 248, 248)
_INK: RGB = (22, 22, 28)


class Brush:
    """Draws in a thing's own coordinates: the origin at its centre, its radius 1, y downwards."""

    def __init__(self, image: Image.Image, pose: Pose) -> None:
        self.image = image
        self._pose = pose
        self._draw = ImageDraw.Draw(image)
        self._radius = pose.radius * min(image.size)
        self._centre = (pose.x * image.width, pose.y * image.height)
        self._cos = math.cos(math.radians(pose.tilt))
        self._sin = math.sin(math.radians(pose.tilt))

    def _place(self, point: Point) -> Point:
        stretch = math.sqrt(self._pose.squash)
        x = point[0] * stretch * (-1 if self._pose.mirrored else 1)
        y = point[1] / stretch
        turned = (x * self._cos - y * self._sin, x * self._sin + y * self._cos)
        centre_x, centre_y = self._centre
        return centre_x + turned[0] * self._radius, centre_y + turned[1] * self._radius

    def polygon(self, points: Iterable[Point], colour: RGB) -> None:
        """A filled polygon."""
        self._draw.polygon([self._place(point) for point in points], fill=colour)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: RGB) -> None:
        """A filled ellipse around (x, y)."""
        self.polygon(arc(x, y, rx, ry, 0, 360), colour)

    def stroke(self, points: list[Point], width: float, colour: RGB) -> None:
        """A line of constant width with round ends through the points."""
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            length = math.hypot(x1 - x0, y1 - y0) or 1.0
            nx, ny = (y1 - y0) / length * width / 2, (x0 - x1) / length * width / 2
            quad = [(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)]
            self.polygon(quad, colour)
        for x, y in points:
            self.ellipse(x, y, width / 2, width / 2, colour)

    def clipped(self, outline: Callable[["Brush", RGB], None], inside: Callable[["Brush"], None]):
        """Draw `inside` only where `outline` fills."""
        layer, mask = self.image.copy(), Image.new("RGB", self.image.size)
        outline(Brush(mask, self._pose), (255, 255, 255))
        inside(Brush(layer, self._pose))
        self.image.paste(layer, mask=mask.getchannel(0))


def arc(
    x: float, y: float, rx: float, ry: float, start: float, end: float, steps: int = 40
) -> list[Point]:
    """Points on an ellipse from `start` to `end` degrees, clockwise on the screen."""
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def _spikes(count: int, inner: float) -> list[Point]:
    points: list[Point] = []
    for i in range(2 * count):
        angle, length = math.pi * i / count - math.pi / 2, 1.08 if i % 2 == 0 else inner
        points.append((length * math.cos(angle), length * math.sin(angle)))
    return points


def _heart() -> list[Point]:
    angles = [math.tau * i / 60 for i in range(60)]
    return [
        (
            0.98 * math.sin(a) ** 3,
            -(13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a)) / 15
            - 0.08,
        )
        for a in angles
    ]


_S = 0.86
_C = 0.32
POLYGONS: dict[str, list[Point]] = {
    "circle": arc(0, 0, 0.95, 0.95, 0, 360),
    "square": [(-_S, -_S), (_S, -_S), (_S, _S), (-_S, _S)],
    "triangle": [(0, -1.0), (1.0, 0.82), (-1.0, 0.82)],
    "star": _spikes(5, 0.44),
    "heart": _heart(),
    "cross": [
        *[(-_C, -1.0), (_C, -1.0), (_C, -_C), (1.0, -_C), (1.0, _C), (_C, _C)],
        *[(_C, 1.0), (-_C, 1.0), (-_C, _C), (-1.0, _C), (-1.0, -_C), (-_C, -_C)],
    ],
    "moon": [*arc(0.1, 0, 1, 1, 50, 310), *arc(0.52, 0, 0.79, 0.79, 285, 75)],
}
"""Outlines of the plain shapes in units of the thing's radius."""

BODY: dict[str, list[Point]] = {
    "round": arc(0, 0.18, 0.68, 0.68, 0, 360),
    "tall": arc(0, 0.14, 0.5, 0.78, 0, 360),
    "wide": arc(0, 0.3, 0.82, 0.52, 0, 360),
    "square": [(-0.58, -0.4), (0.58, -0.4), (0.62, 0.8), (-0.62, 0.8)],
}
_TOP = {"round": -0.5, "tall": -0.64, "wide": -0.22, "square": -0.4}
_HALF = {"round": 0.68, "tall": 0.5, "wide": 0.82, "square": 0.6}


def _eyes(brush: Brush, count: int, y: float, spread: float, radius: float) -> None:
    for x in [0.0] if count == 1 else [-spread, spread]:
        size = radius * (1.35 if count == 1 else 1)
        brush.ellipse(x, y, size, size, _WHITE)
        brush.ellipse(x + size * 0.12, y, size * 0.5, size * 0.5, _INK)


def _pattern(brush: Brush, thing: Thing) -> None:
    if thing.second is None:
        return
    if thing.pattern == "striped":
        for i in range(-2, 3):
            y = i * 0.46
            brush.polygon(
                [(-1.3, y), (1.3, y), (1.3, y + 0.22), (-1.3, y + 0.22)], thing.second.rgb
            )
    elif thing.pattern == "dotted":
        for row in range(-2, 3):
            for column in range(-2, 3):
                x = column * 0.5 + (0.25 if row % 2 else 0)
                brush.ellipse(x, row * 0.42, 0.15, 0.15, thing.second.rgb)


def _shape(brush: Brush, thing: Thing) -> None:
    if thing.kind == "ring":  # As one polygon it would have a seam.
        brush.stroke(arc(0, 0, 0.76, 0.76, 0, 360), 0.48, thing.shade.rgb)
        return
    outline = POLYGONS[thing.kind]
    brush.polygon(outline, thing.shade.rgb)
    if thing.pattern != "plain":
        brush.clipped(lambda b, colour: b.polygon(outline, colour), lambda b: _pattern(b, thing))
    if thing.eyes:
        _eyes(brush, thing.eyes, 0.05, 0.3, 0.2)


def _ears(brush: Brush, creature: Creature, colour: RGB) -> None:
    top, half = _TOP[creature.body], _HALF[creature.body] * 0.6
    for side in (-1, 1):
        x = side * half
        if creature.ears == "round":
            brush.ellipse(x, top + 0.08, 0.25, 0.25, colour)
        elif creature.ears == "pointed":
            base = top + 0.32
            brush.polygon(
                [(x - 0.26, base), (x + 0.26, base), (x + side * 0.14, base - 0.72)], colour
            )
        elif creature.ears == "long":
            brush.stroke([(x * 0.8, top + 0.25), (x * 1.15, top - 0.3)], 0.26, colour)


def _tail(brush: Brush, creature: Creature, colour: RGB) -> None:
    x = _HALF[creature.body] * 0.88
    if creature.tail == "short":
        brush.ellipse(x + 0.1, 0.5, 0.2, 0.2, colour)
    elif creature.tail == "long":
        brush.stroke([(x - 0.1, 0.55), (x + 0.2, 0.35), (x + 0.34, -0.15)], 0.16, colour)
    elif creature.tail == "curly":
        curl = arc(x + 0.16, 0.3, 0.18, 0.18, 90, -200, 14)
        brush.stroke([(x - 0.1, 0.55), *curl], 0.13, colour)


def _creature(brush: Brush, thing: Thing, creature: Creature) -> None:
    body, outline = thing.shade.rgb, BODY[creature.body]
    if creature.tail_shade is not None:
        _tail(brush, creature, creature.tail_shade.rgb)
    if creature.ear_shade is not None:
        _ears(brush, creature, creature.ear_shade.rgb)
    if creature.legs:
        for x in (-0.34, 0.34):
            brush.stroke([(x, 0.6), (x, 0.96)], 0.2, body)
    brush.polygon(outline, body)
    if thing.pattern != "plain":
        brush.clipped(lambda b, colour: b.polygon(outline, colour), lambda b: _pattern(b, thing))
    if creature.belly is not None:
        brush.ellipse(0, 0.5, _HALF[creature.body] * 0.55, 0.26, creature.belly.rgb)
    _eyes(brush, creature.eyes, _TOP[creature.body] + 0.38, 0.25, 0.19)


def _face(brush: Brush, main: RGB, _: RGB) -> None:
    brush.polygon(POLYGONS["circle"], main)
    _eyes(brush, 2, -0.22, 0.36, 0.2)
    brush.polygon([*arc(0, 0.25, 0.5, 0.38, 0, 180), (-0.5, 0.25)], _INK)


def _fish(brush: Brush, main: RGB, second: RGB) -> None:
    brush.polygon([(0.45, 0), (1.0, -0.48), (1.0, 0.48)], second)
    brush.ellipse(-0.15, 0, 0.8, 0.52, main)
    brush.ellipse(-0.55, -0.12, 0.14, 0.14, _WHITE)
    brush.ellipse(-0.58, -0.12, 0.07, 0.07, _INK)


def _flower(brush: Brush, main: RGB, second: RGB) -> None:
    brush.stroke([(0, 0.1), (0, 0.96)], 0.14, (44, 130, 58))
    for i in range(5):
        angle = math.tau * i / 5 - math.pi / 2
        brush.ellipse(0.42 * math.cos(angle), 0.42 * math.sin(angle) - 0.25, 0.33, 0.33, main)
    brush.ellipse(0, -0.25, 0.26, 0.26, second)


def _house(brush: Brush, main: RGB, second: RGB) -> None:
    brush.polygon([(-0.72, -0.1), (0.72, -0.1), (0.72, 0.9), (-0.72, 0.9)], main)
    brush.polygon([(-0.98, -0.05), (0.98, -0.05), (0, -0.95)], second)
    brush.polygon([(-0.18, 0.35), (0.18, 0.35), (0.18, 0.9), (-0.18, 0.9)], second)


def _mushroom(brush: Brush, main: RGB, second: RGB) -> None:
    brush.polygon([(-0.26, 0), (0.26, 0), (0.32, 0.92), (-0.32, 0.92)], second)
    brush.polygon([*arc(0, 0.08, 0.95, 0.95, 180, 360)], main)


def _tree(brush: Brush, main: RGB, second: RGB) -> None:
    brush.polygon([(-0.16, 0.2), (0.16, 0.2), (0.16, 0.95), (-0.16, 0.95)], second)
    for x, y in ((-0.35, 0.0), (0.35, 0.0), (0, -0.42)):
        brush.ellipse(x, y, 0.5, 0.48, main)


_OBJECTS: dict[str, Callable[[Brush, RGB, RGB], None]] = {
    "face": _face,
    "fish": _fish,
    "flower": _flower,
    "house": _house,
    "mushroom": _mushroom,
    "tree": _tree,
}


def draw_thing(brush: Brush, thing: Thing) -> None:
    """Draw one thing with the brush's pose."""
    if thing.creature is not None:
        _creature(brush, thing, thing.creature)
    elif thing.kind in _OBJECTS:
        second = thing.second.rgb if thing.second else _WHITE
        _OBJECTS[thing.kind](brush, thing.shade.rgb, second)
    else:
        _shape(brush, thing)


def render(scene: Scene) -> Image.Image:
    """The scene as an RGB picture of `scene.width` x `scene.height` pixels."""
    size = (scene.width * _SUPERSAMPLING, scene.height * _SUPERSAMPLING)
    canvas = Image.new("RGB", size, scene.background.rgb)
    draw_thing(Brush(canvas, scene.pose), scene.thing)
    return canvas.reduce(_SUPERSAMPLING)
