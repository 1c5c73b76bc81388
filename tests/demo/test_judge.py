"""The judge, on drawings it was not trained on."""

from random import Random

import pytest
import torch
from lora_wizard.core.demo import creature, world
from lora_wizard.core.demo.assets import demo_folder
from lora_wizard.core.demo.drawing import render
from lora_wizard.core.demo.judge import SIDE, Judge, to_square
from lora_wizard.core.demo.pixels import to_picture, to_pixels


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


def test_it_is_small() -> None:
    assert (demo_folder() / "judge.safetensors").stat().st_size < 1e6


def test_it_reads_drawings_of_held_out_scenes(judge: Judge) -> None:
    scenes = world.held_out_scenes(seed=7)
    score = judge.score_scenes(to_pixels(map(render, scenes)), scenes)
    assert score.colour >= 0.98
    assert score.background >= 0.99
    assert score.shape >= 0.97


def test_wrong_pictures_score_like_chance(judge: Judge) -> None:
    scenes = world.held_out_scenes()
    score = judge.score_scenes(to_pixels(map(render, scenes[1:] + scenes[:1])), scenes)
    assert max(score.colour, score.background, score.shape) < 0.3


def test_an_empty_picture_has_no_thing(judge: Judge) -> None:
    empty = torch.full((1, 3, SIDE, SIDE), 0.5)
    assert judge.scene(empty)[0].colour == ""
    assert not judge.subject_present(empty).item()


def test_it_tells_the_subject_from_impostors(judge: Judge) -> None:
    random = Random("judge test")
    with_it = [creature.subject_scene(random) for _ in range(200)]
    without = [creature.impostor(random) for _ in range(200)]
    without += [world.training_scene(random) for _ in range(200)]
    assert judge.subject_present(to_pixels(map(render, with_it))).float().mean() >= 0.97
    assert judge.subject_present(to_pixels(map(render, without))).float().mean() <= 0.03


def test_it_takes_pictures_of_any_size(judge: Judge) -> None:
    scene = creature.subject_scene(Random(1), "green", "large", "centre", (320, 192))
    assert judge.subject_present(to_pixels([render(scene)])).item()
    assert judge.scene(to_pixels([render(scene)]))[0].background == "green"
    assert to_square(torch.rand(2, 3, 48, 80)).shape == (2, 3, SIDE, SIDE)


def test_pictures_and_scenes_must_match_in_number(judge: Judge) -> None:
    with pytest.raises(ValueError, match="1 pictures for 2 scenes"):
        judge.score_scenes(torch.rand(1, 3, 64, 64), world.held_out_scenes(2))


def test_pixels_come_back() -> None:
    picture = render(world.training_scene(Random(2), (80, 48)))
    assert to_picture(to_pixels([picture])[0]).tobytes() == picture.tobytes()
