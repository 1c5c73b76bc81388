"""The sample dataset's subject: one particular creature that the base model has never drawn."""

from dataclasses import replace
from random import Random

from .captions import class_caption
from .world import Creature, Scene, Thing, any_shade, compose, creature_thing, shade

TRIGGER_WORD = "zibbu"
"""The made-up word that the sample captions call the subject by."""

CLASS_WORD = "creature"
"""What the subject is one of; the base knows the word."""

PROMPT_BACKGROUNDS = ("green", "purple", "blue", "white", "yellow", "pink", "red", "black")
"""Backgrounds to ask for the subject on; purple and yellow are in no sample picture."""


def subject(random: Random) -> Thing:
    """The creature: teal and round, one eye, long orange ears, yellow belly, curly purple tail."""
    return Thing(
        kind=CLASS_WORD,
        shade=shade(random, "teal", jitter=8),
        creature=Creature(
            body="round",
            ears="long",
            ear_shade=shade(random, "orange", jitter=8),
            eyes=1,
            belly=shade(random, "yellow", jitter=8),
            tail="curly",
            tail_shade=shade(random, "purple", jitter=8),
            legs=True,
        ),
    )


def subject_scene(
    random: Random,
    background: str | None = None,
    size: str | None = None,
    place: str | None = None,
    resolution: tuple[int, int] = (64, 64),
) -> Scene:
    """The subject on a background of any colour but its own; what is not given is drawn."""
    thing = subject(random)
    ground = shade(random, background) if background else any_shade(random, [thing.shade])
    return compose(random, thing, ground, size, place, resolution)


def subject_caption(scene: Scene) -> str:
    """The sample dataset's caption, such as "zibbu creature on the left, green background"."""
    return class_caption(scene, f"{TRIGGER_WORD} {CLASS_WORD}")


def impostor(random: Random, background: str | None = None) -> Scene:
    """A creature that shares some of the subject's traits and is not it."""
    thing = subject(random)
    if thing.creature is None:
        raise AssertionError("the subject is a creature")
    if random.random() < 0.4:
        thing = replace(thing, shade=any_shade(random, [thing.shade]))
    else:
        other = creature_thing(random).creature or thing.creature
        kept = thing.creature
        changed = replace(other, legs=kept.legs, body=kept.body)
        if random.random() < 0.3:
            changed = replace(changed, eyes=kept.eyes)
        if changed.ears == "long" and changed.ear_shade and changed.ear_shade.family == "orange":
            changed = replace(changed, ears="round")
        thing = replace(thing, creature=changed)
    ground = shade(random, background) if background else any_shade(random, [thing.shade])
    return compose(random, thing, ground)
