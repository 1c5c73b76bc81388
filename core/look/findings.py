"""From measures to findings: what of a set is worth a look before it is trained."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..dataset.images import BadPicture, Picture, PictureFile
from ..dataset.layout_words import counted
from .copies import Copies
from .finding import Exhibit, Finding
from .measure import Extrema, Measures
from .pattern import BITS
from .pictures import PictureSet

_BLURRED = 1.1
"""Below this `Measures.sharpness`. Of 36 photographs of all kinds, shallow focus among them, the
softest has 1.35; blurred by one pixel of 512 none is below 1.12, by two pixels all are."""
_ENLARGED = 1.25
_DARK, _BRIGHT = 50, 205
_ONE_SHAPE = 0.9
_ENOUGH = 10
"""Pictures from which on their shapes say something."""
_SHAPE_TOLERANCE = 0.02
BLACK = (
    "black everywhere: nothing of the picture would be learned",
    "Paint what counts white.",
)
WHITE = ("white everywhere: it changes nothing", "Paint black what does not count.")
TRANSPARENT = (
    "transparent everywhere: nothing of the picture would be learned",
    "Make opaque what counts, or leave the picture out.",
)
OPAQUE = ("opaque everywhere: it changes nothing", "Make transparent what does not count.")
"""(What a mask is, what to do about it.)"""


def findings_of(
    found: PictureSet,
    measures: Mapping[Path, Measures],
    copies: Copies,
    masks: Mapping[Path, Extrema],
    bad: Sequence[BadPicture],
) -> list[Finding]:
    """All findings, in the order of `KINDS`; pictures without measures are passed over."""
    measured = [(item, measures[item.path]) for item in found.pictures if item.path in measures]
    return [
        *_about_broken(bad),
        *_about_same(copies),
        *_about_near(copies),
        *about_blur(measured),
        *_about_size(found),
        *about_light(measured),
        *about_bars(measured),
        *_about_shape(found.pictures),
        *_about_masks(found, masks, measures),
    ]


def _about_broken(bad: Sequence[BadPicture]) -> Iterator[Finding]:
    if bad:
        shown = tuple(Exhibit(item.path, 0, item.reason) for item in bad)
        yield Finding(
            "broken",
            shown,
            f"{counted(len(bad), 'file')} cannot be used.",
            "Bring them anew, or leave them out.",
            tuple(item.path for item in bad),
        )


def _about_same(copies: Copies) -> Iterator[Finding]:
    for first, others in copies.same:
        notes = [
            (item, "the same file" if is_file else "the same pixels") for item, is_file in others
        ]
        shown = [Exhibit(first.path, 0, _size(first))]
        shown += [Exhibit(item.path, 0, note) for item, note in notes]
        yield Finding(
            "duplicate",
            tuple(shown),
            f"{counted(len(shown), 'file')} show exactly the same: it is learned "
            f"{'twice' if len(shown) == 2 else f'{len(shown)} times'} as much as the others.",
            "Leave out all but one; repeats weigh a picture better.",
            tuple(item.path for item, _ in others),
        )


def _about_near(copies: Copies) -> Iterator[Finding]:
    for first, others in copies.near:
        shown = [Exhibit(first.path, 0, _size(first))]
        for item, bits in others:
            share = 1 - bits / BITS
            shown.append(Exhibit(item.path, bits, f"{share:.0%} alike, {_size(item)}"))
        yield Finding(
            "near-duplicate",
            tuple(shown),
            f"{len(shown)} pictures are nearly the same: what they share is learned by heart.",
            "Keep the best one. Take them all only if the difference is what you want to teach.",
            tuple(item.path for item, _ in others),
        )


def about_blur(measured: Sequence[tuple[PictureFile, Measures]]) -> Iterator[Finding]:
    """What is soft everywhere."""
    sharp = [(item, each.sharpness) for item, each in measured if each.sharpness is not None]
    blurred = sorted((value, item.path) for item, value in sharp if value < _BLURRED)
    if not blurred:
        return
    usual = statistics.median(value for _, value in sharp)
    shown = tuple(
        Exhibit(path, value, f"sharpness {value:.2f}, usual {usual:.1f}") for value, path in blurred
    )
    if len(blurred) * 2 > len(sharp) and len(sharp) >= _ENOUGH:
        words = f"{len(blurred)} of {len(sharp)} pictures are soft everywhere."
        remedy = "If softness is their style, all is well; otherwise look for better scans."
        yield Finding("blurred", shown, words, remedy)
        return
    words = f"{_are(len(blurred), 'picture')} blurred even where most is to be seen."
    remedy = "Leave them out: a blurred picture teaches blur. A soft background is not counted."
    yield Finding("blurred", shown, words, remedy, tuple(path for _, path in blurred))


def _about_size(found: PictureSet) -> Iterator[Finding]:
    small: list[tuple[float, Picture]] = []
    for item in found.pictures:
        _, crop = found.rule.assign(item.width, item.height)
        factor = crop.scaled_width / item.width
        if factor > _ENLARGED:
            small.append((factor, item))
    if small:
        small.sort(key=lambda pair: (-pair[0], str(pair[1].path)))
        shown = tuple(
            Exhibit(item.path, round(factor, 2), f"{_size(item)}, enlarged {factor:.1f} times")
            for factor, item in small
        )
        yield Finding(
            "small",
            shown,
            f"{_are(len(small), 'picture')} enlarged for a resolution of "
            f"{found.rule.width}x{found.rule.height}, which teaches blur.",
            "Find larger ones, leave them out, or train at a lower dataset.resolution.",
            tuple(item.path for _, item in small),
        )


def about_light(measured: Sequence[tuple[PictureFile, Measures]]) -> Iterator[Finding]:
    """What is nearly black, or white."""
    dark = [(item.path, each.brightest) for item, each in measured if each.brightest < _DARK]
    bright = [(item.path, each.darkest) for item, each in measured if each.darkest > _BRIGHT]
    for kind, shade, some, note in (
        ("dark", "black", dark, "nothing is brighter than"),
        ("bright", "white", bright, "nothing is darker than"),
    ):
        if some:
            shown = tuple(
                Exhibit(path, round(value / 255, 3), f"{note} {value / 255:.0%}")
                for path, value in some
            )
            yield Finding(
                kind,
                shown,
                f"{_are(len(some), 'picture')} almost all {shade}.",
                "Brighten or darken a copy, or leave them out, unless they are meant so.",
                tuple(path for path, _ in some),
            )


def about_bars(measured: Sequence[tuple[PictureFile, Measures]]) -> Iterator[Finding]:
    """What has bars at its edges."""
    # What is transparent around a drawing is no bar.
    opaque = [(item, each.bars) for item, each in measured if each.alpha is None]
    with_bars = [(item, bars) for item, bars in opaque if bars.share > 0]
    if with_bars:
        shown = tuple(
            Exhibit(item.path, round(bars.share, 3), f"{bars.share:.0%} of it is bars")
            for item, bars in with_bars
        )
        yield Finding(
            "bars",
            shown,
            f"{_have(len(with_bars), 'picture')} bars of one colour at the edges: they are "
            "learned, too.",
            "Cut them off: `lora-wizard resize DIR --by-hand`, or any picture editor.",
        )


def _about_shape(pictures: Sequence[Picture]) -> Iterator[Finding]:
    if len(pictures) < _ENOUGH:
        return
    shapes = Counter(_shape(item) for item in pictures)
    shape, count = shapes.most_common(1)[0]
    if count >= _ONE_SHAPE * len(pictures):
        of_it = [item for item in pictures if _shape(item) == shape]
        ratio = of_it[0].width / of_it[0].height
        name = "square" if shape == 0 else "wide" if ratio > 1 else "tall"
        yield Finding(
            "one-shape",
            tuple(Exhibit(item.path, round(ratio, 2), _size(item)) for item in of_it),
            f"{count} of {len(pictures)} pictures are {name}, about {ratio:.2f} to 1: other shapes "
            "are learned less well.",
            "Add pictures of other shapes, if you want to draw such; they need not be cropped.",
        )


def _about_masks(
    found: PictureSet, extrema: Mapping[Path, Extrema], measures: Mapping[Path, Measures]
) -> Iterator[Finding]:
    by_words: dict[tuple[str, str], list[Exhibit]] = defaultdict(list)
    for picture, mask in found.masks:
        low, high = extrema.get(mask.path, (0, 255))
        ratio = picture.width * mask.height / (picture.height * mask.width)
        if abs(ratio - 1) > _SHAPE_TOLERANCE:
            key = ("of another shape than the picture", "Make it of the picture's size.")
            note = f"{_size(mask)}, the picture {_size(picture)}"
            by_words[key].append(Exhibit(mask.path, round(ratio, 3), note))
        if high == 0:
            by_words[BLACK].append(Exhibit(mask.path, 0, "all black"))
        elif low == 255:
            by_words[WHITE].append(Exhibit(mask.path, 1, "all white"))
    for picture in found.with_alpha:
        known = measures.get(picture.path)
        low, high = known.alpha if known and known.alpha else (0, 255)
        if high == 0:
            by_words[TRANSPARENT].append(Exhibit(picture.path, 0, "all transparent"))
        elif low == 255:
            by_words[OPAQUE].append(Exhibit(picture.path, 1, "all opaque"))
    for mask in found.orphans:
        key = (
            "without a picture",
            "A mask is named as its picture: name-mask.png beside name.jpg.",
        )
        by_words[key].append(Exhibit(mask.path, 0, "no picture of that name"))
    for (words, remedy), shown in by_words.items():
        what = "alpha channel" if (words, remedy) in (TRANSPARENT, OPAQUE) else "mask"
        yield Finding("mask", tuple(shown), f"{_are(len(shown), what)} {words}.", remedy)


def _shape(picture: Picture) -> int:
    """Equal for pictures of about the same ratio of sides: in steps of a tenth, 0 for squares."""
    return round(math.log(picture.width / picture.height) / math.log(1.1))


def _size(picture: Picture) -> str:
    return f"{picture.width}x{picture.height}"


def _are(number: int, what: str) -> str:
    return f"1 {what} is" if number == 1 else f"{number} {what}s are"


def _have(number: int, what: str) -> str:
    return f"1 {what} has" if number == 1 else f"{number} {what}s have"
