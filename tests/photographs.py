"""Pictures with the texture of photographs: detail at every scale, shapes, colours."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageDraw


def photograph(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """The same for the same seed and size."""
    return _made(seed, size).copy()


@cache
def _made(seed: int, size: tuple[int, int]) -> Image.Image:
    """Noise whose strength falls with its frequency, as in photographs, and a few shapes."""
    random = np.random.default_rng(seed)
    width, height = size
    across = np.fft.fftfreq(width)[None, :]
    down = np.fft.fftfreq(height)[:, None]
    strength = 1 / np.maximum(np.hypot(across, down), 1 / max(size))
    channels = []
    for _ in range(3):
        phases = np.exp(2j * np.pi * random.random((height, width)))
        values = np.fft.ifft2(strength * phases).real
        channels.append(128 + 50 * values / values.std())
    pixels = np.clip(np.stack(channels, axis=2), 0, 255).astype(np.uint8)
    picture = Image.fromarray(pixels, "RGB")
    draw = ImageDraw.Draw(picture)
    for _ in range(6):
        left, top = int(random.integers(0, width)), int(random.integers(0, height))
        wide, tall, *colour = (int(value) for value in random.integers(40, 200, 5))
        draw.ellipse((left, top, left + wide, top + tall), fill=tuple(colour))
    return picture
