"""Tags of drawings by the WD taggers of SmilingWolf, computed by onnxruntime.

Round brackets of tags such as ``saber_(fate)`` stay as published, without backslashes: captions are
trained letter by letter, and only prompts know emphasis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from PIL import Image
from pydantic import Field

from ..core.config.options import Section, option
from ..core.errors import Problem, WizardError
from .base import ModelOptions, ModelSpec
from .model_files import Kind, missing_model, model_folder
from .onnx_session import memory_told, open_session, runtime_problems
from .wd_tags import TagChooser, TagListError, Wishes, read_tags

if TYPE_CHECKING:
    import numpy as np

MODEL, TAGS = "model.onnx", "selected_tags.csv"
_USUAL = "SmilingWolf/wd-swinv2-tagger-v3"
_KIND = Kind(
    title="WD tagger",
    usual=_USUAL,
    files=(MODEL, TAGS),
    sizes={_USUAL: "0.5 GB", "SmilingWolf/wd-eva02-large-tagger-v3": "1.3 GB"},
)
PUBLISHED_THRESHOLDS = {
    "wd-swinv2-tagger-v3": 0.2653,
    "wd-convnext-tagger-v3": 0.2682,
    "wd-vit-tagger-v3": 0.2614,
    "wd-vit-large-tagger-v3": 0.2606,
    "wd-eva02-large-tagger-v3": 0.5296,
}
"""Where a model invents as many tags as it misses, by its author's measurements."""
WHITE = (255, 255, 255)
USUAL_SIDE = 448
"""What is given to a model that takes pictures of any size."""
_LONGEST = 8192
"""A longer picture is shrunk before it becomes a square, which would take gigabytes."""

Threshold = Annotated[float, Field(ge=0, le=1)]


class WDTaggerOptions(ModelOptions):
    """Which tags are said."""

    model: str = option(
        _USUAL,
        help="A hub id, or a folder with model.onnx and selected_tags.csv. "
        "SmilingWolf/wd-eva02-large-tagger-v3 is larger and surer; take its published threshold.",
        source="sd-scripts",
        also="repo_id",
        level="basic",
        min_length=1,
    )
    general_threshold: Threshold | Literal["published"] = option(
        0.35,
        help="How sure the model has to be of a tag. Lower gives more tags and more wrong ones. "
        '"published": where the model invents as many as it misses, which its author has measured.',
        source="sd-scripts, the model's author",
        also="general_threshold",
        level="basic",
    )
    character_threshold: Threshold = option(
        0.85,
        help="How sure it has to be of a character's name; a wrong name harms more than none.",
        source="the model's author",
        also="character_threshold",
        level="basic",
    )
    excluded_tags: list[str] = option(
        [],
        help="Tags that are never said, with spaces or underscores.",
        also="undesired_tags",
        level="basic",
        separator=",",
    )
    replace_underscores: bool = option(
        True,
        help="Write blue hair instead of blue_hair. Faces such as ^_^ stay as they are anyway.",
        source="S2",
        also="remove_underscore",
    )
    order: Literal["confidence", "published"] = option(
        "confidence",
        help="Tags that are surest first, which keeps them when a long caption is cut, or in the "
        "order of the model's list, which is the same for every picture.",
        source="the model's author",
    )
    first_tags: list[str] = option(
        [],
        help="Tags that come first, in this order, where they are said at all: 1girl, 1boy.",
        also="always_first_tags",
        separator=",",
    )
    characters_first: bool = option(
        False,
        help="Names of characters before everything else, instead of after it.",
        also="character_tags_first",
    )
    series_apart: bool = option(
        False,
        help="Write saber_(fate) as two tags: saber, fate.",
        also="character_tag_expand",
    )
    rating: Literal["off", "first", "last"] = option(
        "off",
        help="Whether the picture's rating (general, sensitive, questionable, explicit) is a tag "
        "too, and where.",
        also="use_rating_tags",
    )


class WDTagger:
    """A loaded tagger."""

    def __init__(self, session: Any, chooser: TagChooser, tags: int) -> None:
        """``session`` is an onnxruntime.InferenceSession that answers with ``tags`` numbers."""
        self._session = session
        self._chooser = chooser
        self._tags = tags
        self._input = session.get_inputs()[0]
        self._batch, self._side = _takes(self._input.shape)

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        if not pictures:
            return []
        with memory_told():
            return [self._chooser.caption(row) for row in self._confidences(pictures)]

    def _confidences(self, pictures: Sequence[Image.Image]) -> Iterator[np.ndarray]:
        import numpy as np

        # A model that was exported for a fixed number of pictures takes no other.
        together = self._batch or len(pictures)
        for start in range(0, len(pictures), together):
            some = [
                picture_values(picture, self._side)
                for picture in pictures[start : start + together]
            ]
            filled = some + some[-1:] * (self._batch - len(some))
            yield from self._run(np.stack(filled))[: len(some)]

    def _run(self, values: np.ndarray) -> np.ndarray:
        import numpy as np

        found = np.asarray(self._session.run(None, {self._input.name: values})[0])
        if found.shape != (len(values), self._tags):
            raise TagListError(
                "The tagger's list of tags does not belong to its model",
                f"it has {self._tags:,} tags, and the model answers {found.shape[1:]}",
                f"Get {MODEL} and {TAGS} of the same model.",
            )
        # Not (...).any(): what is no number is in no range.
        if not ((found >= 0) & (found <= 1)).all():
            raise WizardError(
                "The model's answers are no confidences",
                "they are not between 0 and 1",
                "Use a WD tagger of version 3, or another export of it.",
            )
        return found


def picture_values(picture: Image.Image, side: int) -> np.ndarray:
    """An RGB picture as the model takes it: (side, side, 3), float32, blue green red from 0 to 255;
    centred on a white square, then scaled."""
    import numpy as np

    if (longest := max(picture.size)) > _LONGEST:
        picture = picture.reduce(-(-longest // _LONGEST))
    longest = max(picture.size)
    square = Image.new("RGB", (longest, longest), WHITE)
    square.paste(picture, ((longest - picture.width) // 2, (longest - picture.height) // 2))
    if longest != side:
        square = square.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(square, dtype=np.float32)[:, :, ::-1]


def missing(options: Section) -> list[Problem]:
    """What the tagger lacks on this machine, and the commands that bring it."""
    assert isinstance(options, WDTaggerOptions)
    problems = [*runtime_problems(options.device), *missing_model(options.model, _KIND)]
    if options.general_threshold == "published" and _published(options.model) is None:
        problems.append(
            Problem(
                f"No threshold is published for {options.model}",
                "general_threshold",
                remedy="Give a number; 0.35 is the usual one.",
            )
        )
    return problems


def load(options: ModelOptions) -> WDTagger:
    """See `ModelSpec.load`."""
    assert isinstance(options, WDTaggerOptions)
    for problem in missing(options):
        if problem.severity == "error":
            raise WizardError("The tagger cannot start", problem.message, problem.remedy)
    folder = model_folder(options.model, _KIND)
    tags = read_tags(folder / TAGS)
    session = open_session(folder / MODEL, options.device)
    return WDTagger(session, TagChooser(tags, _wishes(options)), len(tags))


def _wishes(options: WDTaggerOptions) -> Wishes:
    given = options.general_threshold
    general = _published(options.model) if given == "published" else given
    assert general is not None
    return Wishes(
        general_threshold=general,
        character_threshold=options.character_threshold,
        replace_underscores=options.replace_underscores,
        excluded=options.excluded_tags,
        first=options.first_tags,
        order=options.order,
        characters_first=options.characters_first,
        series_apart=options.series_apart,
        rating=options.rating,
    )


def _published(model: str) -> float | None:
    return PUBLISHED_THRESHOLDS.get(Path(model).name)


def _takes(shape: Sequence[Any]) -> tuple[int, int]:
    """How many pictures at once, 0 for any number, and their side, of an input's shape: (batch,
    height, width, colours), each a number or a name."""
    if len(shape) != 4 or shape[3] != 3 or shape[1] != shape[2]:
        raise WizardError(
            "The model is no WD tagger of version 3",
            f"it takes {list(shape)}, not square pictures with three colours last",
            f"Choose another: {_USUAL}.",
        )
    batch, side = (size if isinstance(size, int) else 0 for size in shape[:2])
    return batch, side or USUAL_SIDE


SPEC = ModelSpec(
    name="wd_tagger",
    title="WD tagger",
    help="Booru tags for anime and other drawings: what is to be seen, one word or two each, and "
    "characters it knows. Fast even without a GPU.",
    options=WDTaggerOptions,
    missing=missing,
    load=load,
)
