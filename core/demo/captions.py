"""What a scene is called: the world's grammar, from a scene to a caption."""

from random import Random

from .world import (
    BODIES,
    COLOURS,
    EARS,
    OBJECTS,
    PLACES,
    SHAPES,
    SIZES,
    TAILS,
    Creature,
    Scene,
    Thing,
)

_CONSONANTS = tuple("bcdfghjklmnprstvwxz")
_VOWELS = tuple("aeiou")

WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *COLOURS,
            *SHAPES,
            *OBJECTS,
            *BODIES,
            *EARS,
            *TAILS,
            *SIZES,
            *" ".join(PLACES.values()).split(),
            *("a", "an", "and", "background", "belly", "centre", "creature", "dark", "dotted"),
            *(
                "ears",
                "eye",
                "eyes",
                "in",
                "legs",
                "light",
                "one",
                "striped",
                "tail",
                "two",
                "with",
            ),
            ",",
        ]
    )
)
"""Every word the grammar can say; the tokenizer gives each a token of its own."""


def made_up_word(random: Random) -> str:
    """A pronounceable word that means nothing, such as "zorvek"."""
    while True:
        syllables = [random.choice(_CONSONANTS) + random.choice(_VOWELS) for _ in range(2)]
        word = "".join(syllables) + random.choice(["", *_CONSONANTS])
        if word not in WORDS:
            return word


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _creature_parts(creature: Creature) -> list[str]:
    parts: list[str] = []
    if creature.ear_shade is not None:
        parts.append(f"{creature.ear_shade.name} {creature.ears} ears")
    if creature.eyes == 1:
        parts.append("one eye")
    if creature.belly is not None:
        parts.append(_with_article(f"{creature.belly.name} belly"))
    if creature.tail_shade is not None:
        parts.append(_with_article(f"{creature.tail_shade.name} {creature.tail} tail"))
    if creature.legs:
        parts.append("legs")
    return parts


def _parts(thing: Thing) -> list[str]:
    if thing.creature is not None:
        return _creature_parts(thing.creature)
    if thing.eyes:
        return ["one eye" if thing.eyes == 1 else "two eyes"]
    return []


def describe(thing: Thing, size: str = "medium") -> str:
    """The thing in full: "small red striped star", "blue creature with one eye and legs"."""
    words = [size] if size != "medium" else []
    words += [thing.shade.name, *([thing.pattern] if thing.pattern != "plain" else [])]
    if thing.creature is not None:
        words.append(thing.creature.body)
    words.append(thing.kind)
    return _with_parts(" ".join(words), _parts(thing))


def _with_parts(noun: str, parts: list[str]) -> str:
    if not parts:
        return noun
    *first, last = parts
    return f"{noun} with {', '.join(first)} and {last}" if first else f"{noun} with {last}"


def caption(scene: Scene) -> str:
    """The scene in full, as the judge prompts for it: "a small red star on the left, ..."."""
    return _sentence(_with_article(describe(scene.thing, scene.size)), scene)


def class_caption(scene: Scene, words: str) -> str:
    """`words` in place of the thing's description: "zibbu creature on the left, ..."."""
    return _sentence(words, scene)


def _sentence(noun: str, scene: Scene) -> str:
    place = PLACES[scene.place]
    ground = f"{scene.background.name} background"
    return f"{noun} {place}, {ground}" if place else f"{noun} on {_with_article(ground)}"


def training_caption(scene: Scene, random: Random) -> str:
    """A caption as people write them: attributes left out, in other orders, with unknown words.

    The made-up words teach the base that a word it has never met adds nothing, so that a trigger
    word starts out as noise that the LoRA can fill.
    """
    thing = scene.thing
    words = [scene.size] if scene.size != "medium" and random.random() < 0.9 else []
    terse = random.random() < (0.3 if thing.creature else 0.06)
    if terse:
        words = []
    else:
        words += [thing.shade.name] if random.random() < 0.95 else []
        words += [thing.pattern] if thing.pattern != "plain" and random.random() < 0.9 else []
        if thing.creature and random.random() < 0.5:
            words.append(thing.creature.body)
    parts = [] if terse else [part for part in _parts(thing) if random.random() < 0.85]
    noun = " ".join([*words, thing.kind])
    if random.random() < (0.6 if terse else 0.1):
        noun = f"{made_up_word(random)} {noun}"
    noun = _with_parts(noun, parts)
    if random.random() < 0.6:
        noun = _with_article(noun)
    text = _order(noun, scene, random)
    return f"{made_up_word(random)}, {text}" if random.random() < 0.1 else text


def _order(noun: str, scene: Scene, random: Random) -> str:
    place, ground = PLACES[scene.place], f"{scene.background.name} background"
    if not place and random.random() < 0.2:
        place = "in the centre"
    roll = random.random()
    if roll < 0.04:
        return f"{noun} {place}".strip()
    if roll < 0.08:
        return f"{noun}, {ground}"
    if roll < 0.5:
        noun = f"{noun} on {_with_article(ground)}"
        return f"{noun}, {place}" if place else noun
    return f"{noun} {place}, {ground}" if place else f"{noun}, {ground}"
