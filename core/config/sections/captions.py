"""The words beside the pictures: `[captions]`."""

from __future__ import annotations

from typing import Literal

from ..options import Section, option


class CaptionOptions(Section):
    """The words beside each picture: name.txt or name.caption."""

    trigger_words: list[str] = option(
        [],
        help="Rare words that will call the subject; put first in every caption that does not "
        "begin with them.",
        source="S0 S1 S2",
        level="basic",
        separator=",",
    )
    prefix: str = option(
        "",
        label="Before each caption",
        help="Put before every caption, as it is.",
        source="S4",
        also="caption_prefix",
    )
    suffix: str = option(
        "",
        label="After each caption",
        help="Put after every caption, as it is.",
        also="caption_suffix",
    )
    separator: str = option(
        ",",
        label="Between tags",
        help="What stands between tags.",
        also="caption_separator",
        min_length=1,
    )
    shuffle: bool = option(
        False,
        label="Shuffle tags",
        help="Shuffle the tags anew for every use of a picture: for tags of anime models, not for "
        "sentences.",
        source="S1",
        also="shuffle_caption",
    )
    keep_tokens: int = option(
        0,
        label="Tags kept in place",
        help="How many leading tags stay in place when shuffling; prefix and trigger words count.",
        source="S1",
        ge=0,
        le=255,
    )
    dropout: float = option(
        0.0,
        label="Caption dropout",
        help="The share of uses in which a picture is trained without its caption.",
        source="S4",
        ge=0,
        le=1,
        also="caption_dropout_rate",
    )
    dropout_every_epochs: int = option(
        0,
        label="Bare every nth epoch",
        help="Every so many epochs, all pictures are trained without their captions; 0: never.",
        ge=0,
        le=100_000,
        also="caption_dropout_every_n_epochs",
    )
    tag_dropout: float = option(
        0.0,
        label="Tag dropout",
        help="The chance of each tag to be left out, anew for every use of a picture. Tags kept in "
        "place are never left out.",
        source="S1",
        ge=0,
        le=1,
        also="caption_tag_dropout_rate",
    )
    keep_tokens_separator: str = option(
        "",
        label="Mark after kept tags",
        help="A mark in captions, such as |||, before which all tags stay in place, instead of "
        "keep_tokens; what follows a second mark stays at the end. The mark itself is not trained.",
        also="keep_tokens_separator",
    )
    secondary_separator: str = option(
        "",
        label="Inside a group of tags",
        help="What stands between tags that are shuffled and dropped together, such as ;;; and is "
        "trained as the separator.",
        also="secondary_separator",
    )
    wildcards: bool = option(
        False,
        label="Choices in captions",
        help="For every use of a picture, take one line of a caption of several lines, and one of "
        "each {red|blue|green} in it. {{ and }} are braces as written. Off: lines are read as one.",
        also="enable_wildcard",
    )
    metadata: str = option(
        "",
        label="File of captions",
        help="A .json or .jsonl file with the captions of many pictures, by their file names. A "
        "caption file beside a picture comes before it; a metadata.jsonl in a folder of pictures "
        "is read without being named.",
        source="S3",
        also="in_json",
        path=True,
    )
    max_tokens: Literal[75, 150, 225] = option(
        75,
        label="Longest caption (tokens)",
        help="How much of a caption is trained, in CLIP's tokens (a word is one or a few): what is "
        "longer is cut off there. 150 and 225 take more time for every step. Sample prompts are "
        "never cut.",
        source="S2",
        also="max_token_length",
    )
    weighted: bool = option(
        False,
        label="Brackets weigh words",
        help="Read (word:1.2), (word) and [word] in captions as emphasis, as in sample prompts. "
        "Off: brackets are trained as they are written.",
        also="weighted_captions",
    )
