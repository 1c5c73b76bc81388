"""Draws the sample dataset: `python -m lora_wizard.core.demo.build_pictures --out templates/demo`.

Sixteen pictures of the subject with captions, and three times as many class pictures.
"""

import argparse
import shutil
from pathlib import Path
from random import Random

from .captions import caption, class_caption
from .creature import CLASS_WORD, subject_caption, subject_scene
from .drawing import render
from .world import PLACES, Scene, any_shade, compose, creature_thing, training_scene

_SIZES = ((256, 256), (256, 256), (192, 320), (320, 192), (192, 256), (256, 192))
_BACKGROUNDS = ("green", "red", "blue", "white", "black", "grey", "pink", "brown")

SUBJECT_PICTURES = 16
CLASS_PICTURES = 48


def subject_scenes(random: Random) -> list[Scene]:
    """The subject on eight backgrounds, in every place and size."""
    places = [*PLACES, *PLACES, *PLACES, "centre"]
    sizes = [*(["medium"] * 8), *(["large"] * 6), *(["small"] * 2)]
    random.shuffle(places)
    random.shuffle(sizes)
    return [
        subject_scene(
            random,
            background=_BACKGROUNDS[i % len(_BACKGROUNDS)],
            size=sizes[i],
            place=places[i],
            resolution=_SIZES[i % len(_SIZES)],
        )
        for i in range(SUBJECT_PICTURES)
    ]


def class_scenes(random: Random) -> list[Scene]:
    """Half creatures, half whatever else there is in the world: what is not shown is what the
    subject spreads into."""
    scenes: list[Scene] = []
    for i in range(CLASS_PICTURES):
        resolution = _SIZES[i % len(_SIZES)]
        if i % 2:
            ground = any_shade(random)
            thing = creature_thing(random, ground)
            scenes.append(compose(random, thing, ground, resolution=resolution))
        else:
            scene = training_scene(random, resolution)
            while scene.thing.kind == CLASS_WORD:
                scene = training_scene(random, resolution)
            scenes.append(scene)
    return scenes


def class_picture_caption(scene: Scene, terse: bool) -> str:
    """In full, or for every other creature by its class alone."""
    if terse and scene.thing.kind == CLASS_WORD:
        size = "" if scene.size == "medium" else f"{scene.size} "
        return class_caption(scene, f"a {size}{CLASS_WORD}")
    return caption(scene)


def _write(folder: Path, name: str, scene: Scene, text: str) -> None:
    render(scene).save(folder / f"{name}.png", optimize=True)
    (folder / f"{name}.txt").write_text(text + "\n", encoding="utf-8")


def build(out: Path, seed: int) -> None:
    """Replace `pictures/` and `regularization/` in the folder."""
    pictures, regularization = out / "pictures", out / "regularization"
    for folder in (pictures, regularization):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for i, scene in enumerate(subject_scenes(Random(f"pictures {seed}")), start=1):
        _write(pictures, f"zibbu-{i:02}", scene, subject_caption(scene))
    for i, scene in enumerate(class_scenes(Random(f"regularization {seed}")), start=1):
        text = class_picture_caption(scene, terse=i % 4 == 0)
        _write(regularization, f"{scene.thing.kind}-{i:02}", scene, text)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the demo's folder")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    build(asked.out, asked.seed)


if __name__ == "__main__":
    main()
