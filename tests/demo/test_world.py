"""The miniature world: seeds are pictures, captions say what is drawn, held-out stays held out."""

from random import Random

import pytest
from lora_wizard.core.demo import captions, creature, world
from lora_wizard.core.demo.drawing import render
from lora_wizard.core.demo.world import COLOURS, HELD_OUT_COUNT, RESOLUTIONS, SHAPES


def test_a_seed_is_a_picture() -> None:
    first, again, other = (
        [render(world.training_scene(random)).tobytes() for _ in range(5)]
        for random in (Random(1), Random(1), Random(2))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_pictures_have_the_size_asked_for(resolution: tuple[int, int]) -> None:
    assert all(side % 16 == 0 for side in resolution)
    assert render(world.training_scene(Random(3), resolution)).size == resolution


def test_training_never_shows_a_held_out_combination() -> None:
    random = Random(4)
    held_out = world.held_out()
    assert len(held_out) == HELD_OUT_COUNT
    scenes = [world.training_scene(random) for _ in range(4000)]
    shown = {(s.thing.shade.family, s.thing.kind, s.background.family) for s in scenes}
    assert not shown & held_out
    # Every colour, shape and background is trained on all the same, only not in company.
    for position, names in enumerate((COLOURS, SHAPES, COLOURS)):
        assert set(names) <= {combination[position] for combination in shown}


def test_held_out_scenes_are_the_held_out_combinations() -> None:
    scenes = world.held_out_scenes()
    combinations = {(s.thing.shade.family, s.thing.kind, s.background.family) for s in scenes}
    assert combinations == world.held_out()
    assert world.held_out_scenes(7) == scenes[:7]


def test_a_caption_names_what_the_scene_has() -> None:
    random = Random(5)
    for _ in range(300):
        scene = world.training_scene(random)
        text = captions.caption(scene)
        expected = [scene.thing.shade.name, scene.thing.kind, f"{scene.background.name} background"]
        expected += [scene.size] if scene.size != "medium" else []
        expected += [world.PLACES[scene.place]]
        assert all(words in text for words in expected), text
        assert "a orange" not in text
        assert set(text.replace(",", " ,").split()) <= set(captions.WORDS)


def test_training_captions_leave_out_and_make_up_words() -> None:
    random = Random(6)
    scene = world.training_scene(random)
    texts = {captions.training_caption(scene, random) for _ in range(60)}
    known = set(captions.WORDS)
    strange = [text for text in texts if set(text.replace(",", " ,").split()) - known]
    assert len(texts) > 5
    assert 0 < len(strange) < len(texts)


def test_the_thing_is_where_the_caption_says() -> None:
    random = Random(7)
    for place, axis, low, high in (
        ("left", 0, 0.0, 0.5),
        ("right", 0, 0.5, 1.0),
        ("top", 1, 0.0, 0.5),
        ("bottom", 1, 0.5, 1.0),
    ):
        thing = world.plain_thing(random, "red", "circle")
        scene = world.compose(random, thing, world.shade(random, "white"), "small", place)
        pixels = render(scene)
        spots = [
            (x, y)
            for x in range(64)
            for y in range(64)
            if pixels.getpixel((x, y))[1] < 120  # pyright: ignore[reportIndexIssue, reportOptionalSubscript, reportOperatorIssue]
        ]
        mean = sum(spot[axis] for spot in spots) / len(spots) / 64
        assert low < mean < high, place


def test_training_never_shows_the_sample_subject() -> None:
    random = Random(8)
    subject = creature.subject(random)
    assert world.resembles_subject(subject) == 5
    things = [world.creature_thing(random) for _ in range(3000)]
    assert max(world.resembles_subject(thing) for thing in things) == 2
    assert any(thing.shade.family == "teal" for thing in things)


def test_the_trigger_word_is_no_word_of_the_world() -> None:
    assert creature.TRIGGER_WORD not in captions.WORDS
    assert creature.CLASS_WORD in captions.WORDS
    text = creature.subject_caption(creature.subject_scene(Random(9), "green", place="left"))
    assert text == "zibbu creature on the left, green background"


def test_impostors_are_not_the_subject() -> None:
    random = Random(10)
    assert max(world.resembles_subject(creature.impostor(random).thing) for _ in range(500)) < 5
