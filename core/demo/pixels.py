"""Pictures to tensors and back."""

from collections.abc import Iterable

import torch
from PIL import Image
from torch import Tensor


def to_pixels(pictures: Iterable[Image.Image]) -> Tensor:
    """RGB pictures of one size as N x 3 x H x W in [0, 1]."""
    rows: list[Tensor] = []
    for picture in pictures:
        data = torch.frombuffer(bytearray(picture.convert("RGB").tobytes()), dtype=torch.uint8)
        rows.append(data.view(picture.height, picture.width, 3))
    return torch.stack(rows).permute(0, 3, 1, 2).float() / 255


def to_picture(pixels: Tensor) -> Image.Image:
    """3 x H x W in [0, 1] as an RGB picture."""
    data = (pixels.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous()
    return Image.frombytes("RGB", (data.shape[1], data.shape[0]), data.numpy().tobytes())
