"""Words that fit a picture best, from lists, as CLIP compares pictures with words.

Within a list the likenesses are made to shares of 1, as CLIP was trained to tell one text from
others: a word is said when it stands out, not when all are a little alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from ..core.config.options import Section, option
from ..core.config.paths import resolve_path
from ..core.errors import Problem, WizardError
from .base import ModelOptions, ModelSpec
from .model_files import Kind, missing_model
from .word_lists import LISTS, list_path, read_words

if TYPE_CHECKING:
    import torch

_USUAL = "openai/clip-vit-large-patch14"
_KIND = Kind(
    title="CLIP",
    usual=_USUAL,
    type="clip",
    files=("config.json", "model.safetensors", "tokenizer.json"),
    sizes={_USUAL: "1.7 GB", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K": "3.9 GB"},
)
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP was trained on, red green blue; published with every CLIP."""
_TEXTS_AT_ONCE = 256
_LONGEST = 16
"""Times its width."""


class ClipInterrogatorOptions(ModelOptions):
    """Which words are compared, and how many of them are said."""

    model: str = option(
        _USUAL,
        help="A hub id, or a folder with config.json, model.safetensors and tokenizer.json. "
        "laion/CLIP-ViT-H-14-laion2B-s32B-b79K knows more, and is twice as large.",
        source="S0",
        level="basic",
        min_length=1,
    )
    lists: list[str] = option(
        list(LISTS),
        help=f"What is looked for, in the order of the caption: {', '.join(LISTS)}.",
        level="basic",
        separator=",",
    )
    own_list: str = option(
        "",
        help="A text file with words or phrases of yours, one in a line: one more list, after the "
        "others.",
        path=True,
        level="basic",
    )
    words_per_list: int = option(
        2,
        help="How many words of a list are said at most.",
        level="basic",
        ge=1,
        le=20,
    )
    least_share: float = option(
        0.2,
        help="How far a word must stand out of its list: 1 is shared out among all words of a list "
        "by how well they fit. Higher says less, and is right more often; 0 always says as many as "
        "are allowed.",
        level="basic",
        ge=0,
        le=1,
    )


class ClipInterrogator:
    """A loaded CLIP with the words that it compares."""

    def __init__(
        self, model: Any, words: Sequence[tuple[Sequence[str], torch.Tensor]], options: Any
    ) -> None:
        """``words``: of each list its words, and their `_directions`."""
        self._model = model
        self._words = words
        self._options: ClipInterrogatorOptions = options

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        import torch

        if not pictures:
            return []
        side = self._model.config.vision_config.image_size
        with torch.inference_mode():
            values = torch.stack([picture_values(picture, side) for picture in pictures])
            found = self._model.get_image_features(pixel_values=values.to(self._model.device))
            seen = _directions(found) * self._model.logit_scale.exp()
            shares = [(seen @ texts.T).softmax(dim=1).tolist() for _, texts in self._words]
        return [self._caption([of[place] for of in shares]) for place in range(len(pictures))]

    def _caption(self, shares: Sequence[Sequence[float]]) -> str:
        """``shares``: of each list those of its words, for one picture."""
        said: list[str] = []
        for (words, _), of_words in zip(self._words, shares, strict=True):
            best = sorted(range(len(words)), key=lambda place: -of_words[place])
            said += [
                words[place]
                for place in best[: self._options.words_per_list]
                if of_words[place] >= self._options.least_share
            ]
        return ", ".join(dict.fromkeys(said))


def picture_values(picture: Image.Image, side: int) -> torch.Tensor:
    """An RGB picture as CLIP takes it: (3, side, side), its middle square, normalised.

    Made here and not by transformers' processors: which of them there is depends on torchvision,
    and they differ.
    """
    import numpy as np
    import torch

    picture = _not_longer(picture)
    width, height = picture.size
    shortest = min(width, height)
    size = (side * width // shortest, side * height // shortest)
    scaled = picture.resize(size, Image.Resampling.BICUBIC)
    left, top = (scaled.width - side) // 2, (scaled.height - side) // 2
    square = np.array(scaled.crop((left, top, left + side, top + side)), dtype=np.float32)
    normal = (square / 255 - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    return torch.from_numpy(normal).permute(2, 0, 1)


def _not_longer(picture: Image.Image) -> Image.Image:
    """The middle of one that, enlarged until its narrow side fits, would take gigabytes."""
    most = _LONGEST * min(picture.size)
    width, height = (min(side, most) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    if (width, height) == picture.size:
        return picture
    return picture.crop((left, top, left + width, top + height))


def _directions(found: Any) -> torch.Tensor:
    """(n, features): what a CLIP finds in pictures or texts, of length 1."""
    import torch

    # Older versions of transformers give the features alone.
    features = found if isinstance(found, torch.Tensor) else found.pooler_output
    return features / features.norm(dim=1, keepdim=True)


def missing(options: Section) -> list[Problem]:
    """What is not downloaded, and lists that cannot be read."""
    assert isinstance(options, ClipInterrogatorOptions)
    problems = missing_model(options.model, _KIND)
    for where, lists in (("lists", options.lists), ("own_list", [options.own_list])):
        try:
            for name in filter(None, lists):
                _words(name, own=where == "own_list")
        except WizardError as error:
            said = f"{error.title}: {error.message}" if error.message else error.title
            problems.append(Problem(said, where, remedy=error.remedy))
    if not options.lists and not options.own_list:
        problems.append(Problem("No list of words is chosen", "lists", remedy="Name one."))
    return problems


def load(options: ModelOptions) -> ClipInterrogator:
    """See `ModelSpec.load`."""
    assert isinstance(options, ClipInterrogatorOptions)
    for problem in missing(options):
        raise WizardError("CLIP cannot start", problem.message, problem.remedy)
    import torch

    from .transformers_model import load_model, load_tokenizer

    lists = [_words(name) for name in options.lists]
    if options.own_list:
        lists.append(_words(options.own_list, own=True))
    # Words are often nearer to each other than 16 bits can tell.
    model = load_model(options, options.model, _KIND, "CLIPModel", torch.float32)
    texts = _text_directions(model, load_tokenizer(options.model, _KIND), lists)
    return ClipInterrogator(model, list(zip(lists, texts, strict=True)), options)


def _words(name: str, *, own: bool = False) -> list[str]:
    return read_words(Path(resolve_path(name, Path.cwd())) if own else list_path(name))


def _text_directions(
    model: Any, tokenizer: Any, lists: Sequence[Sequence[str]]
) -> Sequence[torch.Tensor]:
    """Of each list the `_directions` of its words."""
    import torch

    longest = model.config.text_config.max_position_embeddings
    texts = [word for words in lists for word in words]
    found = []
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        tokens = tokenizer(
            texts[start : start + _TEXTS_AT_ONCE],
            padding=True,
            truncation=True,
            max_length=longest,
            return_tensors="pt",
        )
        with torch.inference_mode():
            found.append(_directions(model.get_text_features(**tokens.to(model.device))))
    return torch.cat(found).split([len(words) for words in lists])


SPEC = ModelSpec(
    name="clip_interrogator",
    title="CLIP Interrogator",
    help="Medium, subject, place, light, mood and style, chosen from lists of words, also of your "
    "own. No sentences; good for what other captions leave out.",
    options=ClipInterrogatorOptions,
    missing=missing,
    load=load,
)
