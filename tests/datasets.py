"""Small datasets for tests: plans made of numbers, folders made of real pictures."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.buckets import cover
from lora_wizard.core.dataset.plan import Bucket, ConceptSummary, DatasetPlan, Sample
from lora_wizard.core.families.base import FamilySpec
from PIL import Image

SPEC = FamilySpec(
    name="test",
    title="Of the tests",
    native_resolution=512,
    bucket_step=64,
    prediction="epsilon",
    implementation="nowhere:Nothing",
    base_version="test",
    architecture="test",
)


def make_config(**sections: Mapping[str, Any]) -> RunConfig:
    """A configuration of the given sections, such as ``training={"batch_size": 4}``."""
    return RunConfig.model_validate({"model": {"base": "none"}, **sections})


def make_plan(
    training: Sequence[tuple[Bucket, int]], regularization: Sequence[tuple[Bucket, int]] = ()
) -> DatasetPlan:
    """A plan of (bucket, repeats) per picture, one concept per number of repeats."""
    samples = [
        _sample(number, bucket, repeats, is_regularization)
        for is_regularization, group in ((False, training), (True, regularization))
        for number, (bucket, repeats) in enumerate(group)
    ]
    names = dict.fromkeys((item.concept, item.repeats, item.is_regularization) for item in samples)
    concepts = []
    for name, repeats, is_regularization in names:
        images = sum(sample.concept == name for sample in samples)
        concepts.append(
            ConceptSummary(name, Path("/none"), images, images, repeats, is_regularization, 0.0)
        )
    return DatasetPlan(tuple(samples), tuple(concepts))


def write_picture(path: Path, size: tuple[int, int] = (512, 512), **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 120, 200)).save(path, **options)
    return path


def write_pictures(folder: Path, number: int, caption: str | None = None) -> None:
    for index in range(number):
        write_picture(folder / f"{index:02}.png")
        if caption is not None:
            (folder / f"{index:02}.txt").write_text(caption)


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of exactly these (type, content) chunks."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, content in chunks:
        checksum = zlib.crc32(kind + content)
        parts.append(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum))
    return b"".join(parts)


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


def sample_of(number: int, side: int = 32) -> Sample:
    """One of a plan's samples; its file is nowhere."""
    return _sample(number, Bucket(side, side), 1, False)


def _sample(number: int, bucket: Bucket, repeats: int, is_regularization: bool) -> Sample:
    concept = f"{'class' if is_regularization else 'concept'}{repeats}"
    return Sample(
        id=f"{concept}/{number}.png",
        folder=Path("/none", concept),
        name=f"{number}.png",
        width=bucket.width,
        height=bucket.height,
        file_size=1,
        modified_ns=1,
        concept=concept,
        trigger_words=(),
        repeats=repeats,
        is_regularization=is_regularization,
        bucket=bucket,
        crop=cover(bucket.width, bucket.height, bucket),
        caption="a caption",
        caption_file=None,
    )
