"""What a model file or folder is, told from names and shapes alone: a base model of which family,
or something else that people save under the same ending. No weight is read."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .base_model import BaseModelError, is_pickled
from .header import Header, read_header
from .recognition_marks import BASES, Mark, other_kind

UNET_INPUT = "model.diffusion_model.input_blocks.0.0.weight"
_LATENT_CHANNELS = 4
_SPECIAL_INPUTS = {
    9: "an inpainting model (its U-Net takes 9 channels, where a base takes 4)",
    8: "a model that edits by instruction (its U-Net takes 8 channels, where a base takes 4)",
    7: "an upscaler (its U-Net takes 7 channels, where a base takes 4)",
    5: "a depth model (its U-Net takes 5 channels, where a base takes 4)",
}
_TAKE_A_BASE = "Take the base model itself: a checkpoint with U-Net, text encoder and VAE."


@dataclass(frozen=True)
class Recognition:
    """What a file is. ``family`` is a family's name (``sd1``, ``sdxl`` ...) for a base model, and
    empty for anything else; ``what`` says it for people, ``why`` how one can tell, ``remedy`` what
    to do when it is no base."""

    path: Path
    what: str
    why: str = ""
    family: str = ""
    remedy: str = ""
    header: Header = field(default_factory=lambda: Header({}, {}, 0), repr=False)

    @property
    def is_base(self) -> bool:
        return bool(self.family)


@dataclass(frozen=True)
class FileFacts:
    """What a checkpoint's header says beside its kind. ``parameters`` without the averaged copy
    that some files hold; ``precision`` is the one of most numbers."""

    parameters: int
    bytes: int
    precision: str
    text_width: int
    """What the denoiser's attention listens to; 0 where it cannot be told."""
    has_vae: bool
    has_text_encoder: bool


def recognise_file(path: Path) -> Recognition:
    """What ``path`` is. Raises BaseModelError or HeaderError for what is not a whole safetensors
    file: pickled, still downloading, cut off, a page of a website, a pointer to a file."""
    check_beginning(path)
    return recognise(path, read_header(path))


def recognise(path: Path, header: Header) -> Recognition:
    """As `recognise_file`, of a ``header`` that was read."""
    names = header.tensors
    if kind := other_kind(header):
        return Recognition(path, kind.what, kind.why, "", kind.remedy or _TAKE_A_BASE, header)
    if UNET_INPUT in names:
        return _of_unet(path, header)
    for base in BASES:
        if base.fits(names):
            return _base(path, base, header)
    return Recognition(
        path,
        "an unknown kind of file",
        f"{len(names)} tensors with names of no model that is known, such as {_first(header)}",
        "",
        _TAKE_A_BASE,
        header,
    )


def refusal(seen: Recognition, family: str, title: str) -> BaseModelError | None:
    """Why ``seen`` cannot be trained as ``family``, called ``title``; None when it can."""
    if seen.family == family:
        return None
    why = f"{seen.path}: {seen.why}"
    if not seen.is_base:
        return BaseModelError(f"This is no base model but {seen.what}", why, seen.remedy)
    return WrongFamilyError(
        f"This is {seen.what}, not {title}",
        why,
        f"A LoRA fits only its own family: take a base of {title}.",
        family=seen.family,
    )


class WrongFamilyError(BaseModelError):
    """A base model of another family, named in ``family``."""

    def __init__(self, title: str, message: str, remedy: str, *, family: str) -> None:
        super().__init__(title, message, remedy)
        self.family = family


def file_facts(header: Header) -> FileFacts:
    """Facts for people about a checkpoint."""
    tensors = {k: info for k, info in header.tensors.items() if not k.startswith("model_ema.")}
    sizes = {name: math.prod(info.shape) for name, info in tensors.items()}
    dtypes = Counter[str]()
    for name, info in tensors.items():
        dtypes[info.dtype] += sizes[name]
    to_text = (i for k, i in tensors.items() if k.endswith("attn2.to_k.weight") and i.shape)
    widths = [info.shape[-1] for info in to_text]
    return FileFacts(
        sum(sizes.values()),
        sum(info.end - info.start for info in header.tensors.values()),
        dtypes.most_common(1)[0][0].lower() if dtypes else "",
        widths[0] if widths else 0,
        any(k.startswith(("first_stage_model.", "vae.")) for k in tensors),
        any(k.startswith(("cond_stage_model.", "conditioner.", "text_encoders.")) for k in tensors),
    )


def _of_unet(path: Path, header: Header) -> Recognition:
    """A U-Net in the original layout: Stable Diffusion 1, 2 or XL, or one for a special purpose."""
    names = header.tensors
    shape = names[UNET_INPUT].shape
    channels = shape[1] if len(shape) == 4 else 0
    if channels != _LATENT_CHANNELS:
        what = _SPECIAL_INPUTS.get(channels, f"a U-Net that takes {channels} channels")
        return Recognition(path, what, UNET_INPUT, "", _TAKE_A_BASE, header)
    if not any(n.startswith(("cond_stage_model.", "conditioner.")) for n in names):
        why = "there is no text encoder in it"
        return Recognition(path, "a U-Net alone", why, "", _TAKE_A_BASE, header)
    widths = {i.shape[-1] for n, i in names.items() if n.endswith("attn2.to_k.weight") and i.shape}
    listens = f"its U-Net listens to text of width {', '.join(map(str, sorted(widths)))}"
    if any(n.startswith("conditioner.") for n in names):
        if widths == {1280}:
            what, why = "the refiner of Stable Diffusion XL", listens
            return Recognition(path, what, why, "", _TAKE_A_BASE, header)
        return Recognition(path, "Stable Diffusion XL", listens, "sdxl", "", header)
    if any(n.startswith("cond_stage_model.model.") for n in names):
        return Recognition(path, "Stable Diffusion 2.x", listens, "sd2", "", header)
    return Recognition(path, "Stable Diffusion 1.x", listens, "sd1", "", header)


def _base(path: Path, mark: Mark, header: Header) -> Recognition:
    return Recognition(path, mark.what, mark.why, mark.family, mark.remedy, header)


def _first(header: Header) -> str:
    return ascii(next(iter(header.tensors), "none")[:60])


_BEGINNING = 512
_STILL_COMING = (".aria2", ".part", ".crdownload", ".download", ".incomplete", ".partial")


def check_beginning(path: Path, what: str = "checkpoint") -> None:
    """Raise BaseModelError for what is seen from a file's name and first bytes not to be the
    ``what``, as people call it, that it was given as."""
    if is_pickled(path.name):
        raise _pickled(path, what)
    if path.suffix in _STILL_COMING or path.with_name(f"{path.name}.aria2").exists():
        raise BaseModelError(
            f"The {what} is still being downloaded", f"{path}", "Wait until it is complete."
        )
    try:
        with path.open("rb") as file:
            start = file.read(_BEGINNING)
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
        raise BaseModelError(f"The {what} cannot be read", why, "Check the path.") from error
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"version https://git-lfs"):
        raise BaseModelError(
            f"This is a pointer to the {what}, not the {what}",
            f"{path}: Git LFS left {path.stat().st_size} bytes in its place",
            "In the folder it came from: git lfs install && git lfs pull; or download the file "
            "itself.",
        )
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise _answer_of_a_site(path, "a web page", what)
    if text.startswith((b'{"error', b'{"message', b'{"detail', b'{ "error', b"unauthorized")):
        raise _answer_of_a_site(path, "an error message", what)
    if start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04")):
        raise _pickled(path, what)
    if start.startswith(b"GGUF"):
        raise BaseModelError(
            "This is a GGUF file: weights quantised for drawing, not for training",
            f"{path}",
            "Take the .safetensors checkpoint that it was made from.",
        )


def _answer_of_a_site(path: Path, answer: str, what: str) -> BaseModelError:
    return BaseModelError(
        f"This is {answer} saved under the {what}'s name",
        f"{path}: {path.stat().st_size:,} bytes of text",
        "The site asked for a login, and its answer was saved. Download it again with your access "
        "token (at Civitai an API key from your account's settings), and look at the file's size.",
    )


_CONVERSIONS = {
    "checkpoint": 'diffusers: StableDiffusionPipeline.from_single_file("model.ckpt")'
    '.save_pretrained("FOLDER", safe_serialization=True)',
    "LoRA": "safetensors: safetensors.torch.save_file",
}


def _pickled(path: Path, what: str) -> BaseModelError:
    return BaseModelError(
        f"The {what} is pickled, which can run a stranger's code",
        f"{path}: only .safetensors files are read",
        "Most sites offer it as .safetensors (SafeTensor). Otherwise convert a copy that you trust "
        f"on a machine that you can lose, in Python with {_CONVERSIONS[what]}",
    )
