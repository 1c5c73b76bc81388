"""A folder of pictures with tags as a tagger leaves them."""

from __future__ import annotations

import shutil
from pathlib import Path

PICTURES = Path(__file__).resolve().parents[1] / "templates/demo/pictures"
_VARYING = (
    ("smile", "outdoors", "hat"),
    ("sitting", "hat", "^_^"),
    ("tree", "smile", "red_dress"),
    ("outdoors", "tree", "open mouth"),
)


def tagged_pictures(folder: Path) -> Path:
    """16 pictures of one subject: blue hair in all but one, a white background in all."""
    shutil.copytree(PICTURES, folder)
    for number, picture in enumerate(sorted(folder.glob("*.png"))):
        tags = ["zibbu", "1girl", "blue_hair", "Simple background", *_VARYING[number % 4]]
        if number == 2:
            tags.remove("blue_hair")
        picture.with_suffix(".txt").write_text(", ".join(tags) + "\n")
    return folder
