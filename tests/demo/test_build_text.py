"""What the text encoder is asked about a caption before it meets pictures."""

from random import Random

from lora_wizard.core.demo import world
from lora_wizard.core.demo.build_text import HEADS, answers
from lora_wizard.core.demo.captions import caption, training_caption


def _asked(scene: world.Scene, text: str) -> dict[str, int]:
    found = dict(zip(HEADS, answers(scene, text), strict=True))
    return {name: answer for name, answer in found.items() if answer >= 0}


def test_a_full_caption_answers_every_question_it_can() -> None:
    random = Random(1)
    thing = world.plain_thing(random, "red", "star")
    scene = world.compose(random, thing, world.shade(random, "blue"), "small", "left")
    asked = _asked(scene, caption(scene))
    colours = list(world.COLOURS)
    assert asked["colour"] == colours.index("red")
    assert asked["ground"] == colours.index("blue")
    assert asked["kind"] == world.SHAPES.index("star")
    assert asked["size"] == list(world.SIZES).index("small")
    assert asked["place"] == list(world.PLACES).index("left")


def test_what_a_caption_leaves_out_is_not_asked() -> None:
    random = Random(2)
    thing = world.plain_thing(random, "red", "star")
    scene = world.compose(random, thing, world.shade(random, "blue"))
    assert "colour" not in _asked(scene, "a star on a blue background")
    assert "ground" not in _asked(scene, "a red star")
    # A made-up word that begins like a colour is no colour.
    assert "colour" not in _asked(scene, "redo star on a blue background")


def test_answers_stay_within_their_head() -> None:
    random = Random(3)
    for _ in range(500):
        scene = world.training_scene(random)
        for name, answer in _asked(scene, training_caption(scene, random)).items():
            assert answer < HEADS[name], name
