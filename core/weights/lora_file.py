"""A LoRA file of any trainer, read from its header alone: its layers, by whatever name, and what
else it may be. Free of torch.

Read are the names of kohya's sd-scripts, of PEFT and of diffusers, old and new. What a layer of the
base is called in each of them, the family says (`families.base.LoraTarget.other_names`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import WizardError
from .header import Header, TensorInfo, read_header
from .recognition import check_beginning, recognise

_FILES = ("adapter_model.safetensors", "pytorch_lora_weights.safetensors")
"""What a folder of PEFT's, and one of diffusers', calls it."""
_PEFT_CONFIG = "adapter_config.json"
_DIFFUSERS_CONFIG = "lora_adapter_metadata"
_LARGEST_CONFIG = 1 << 20
_LARGEST_ALPHA = 1e6
_ENDING = re.compile(
    r"\.(?:(?:lora_down|lora\.down|lora_linear_layer\.down|down|lora_A(?:\.\w+)?)\.weight(?P<down>)"
    r"|(?:lora_up|lora\.up|lora_linear_layer\.up|up|lora_B(?:\.\w+)?)\.weight(?P<up>)"
    r"|alpha(?P<alpha>))$"
)
_OTHER_NETWORKS = (
    (re.compile(r"\.hada_"), "a LoHa"),
    (re.compile(r"\.lokr_"), "a LoKr"),
    (re.compile(r"\.dora_scale$|\.lora_magnitude_vector\b"), "a DoRA"),
    (re.compile(r"\.lora_mid\."), "a LoCon in Tucker form"),
    (re.compile(r"\.oft_"), "an OFT"),
    (re.compile(r"\.on_input$"), "an IA3"),
    (re.compile(r"\.(diff|diff_b)$"), "a full difference of weights"),
)
_OTHER_FAMILIES = (
    (re.compile(r"lora_te2_|text_encoder_2\."), "sdxl", "Stable Diffusion XL"),
    (re.compile(r"double_blocks|single_(transformer_)?blocks"), "flux", "Flux.1"),
    (re.compile(r"joint_blocks|lora_te3_|attn[._]add_k_proj"), "sd3", "Stable Diffusion 3"),
    (re.compile(r"^(transformer|diffusion_model)[._]"), "another", "a transformer"),
)
_WIDTHS = {
    768: ("sd1", "Stable Diffusion 1.x"),
    1024: ("sd2", "Stable Diffusion 2.x"),
    2048: ("sdxl", "Stable Diffusion XL"),
}
_LISTENS = re.compile(r"attn2[._](processor\.)?to_k(_lora)?$")


class LoraFileError(WizardError):
    """The file is no LoRA that can be continued."""


@dataclass(frozen=True)
class FileLayer:
    """The tensors of one layer by their names in the file."""

    down: str
    up: str
    alpha: str = ""

    def rank(self, tensors: Mapping[str, TensorInfo]) -> int:
        return tensors[self.down].shape[0]


@dataclass(frozen=True)
class LoraFile:
    """A LoRA file. ``layers`` are by their name in it, without the matrices' endings; ``unknown``
    are tensors that belong to none."""

    path: Path
    header: Header
    layers: Mapping[str, FileLayer]
    unknown: tuple[str, ...] = ()
    adapter: Mapping[str, Any] = field(default_factory=dict)
    """PEFT's configuration of it, where it came with one; keys may begin with ``unet.`` or
    ``text_encoder.``, where it is diffusers'."""

    def alpha(self, name: str) -> float | None:
        """The alpha of layer ``name`` by the file's configuration; None where nothing tells it
        but a tensor of its own, and without that it is the rank. Raises LoraFileError."""
        if not self.adapter:
            return None
        config, place = self.adapter, _bare(name)
        for prefix in ("unet.", "text_encoder."):
            if place.startswith(prefix) and any(key.startswith(prefix) for key in config):
                config = {k.removeprefix(prefix): v for k, v in config.items()}
            place = place.removeprefix(prefix)
        alpha = _by_pattern(config.get("alpha_pattern"), place, config.get("lora_alpha"))
        if not isinstance(alpha, (int, float)) or isinstance(alpha, bool):
            return None
        if not -_LARGEST_ALPHA <= alpha <= _LARGEST_ALPHA:
            raise _broken(self.path, f"the alpha of {_short(name)} is {str(alpha)[:20]}")
        if config.get("use_rslora") is True:
            return alpha * math.sqrt(self.layers[name].rank(self.header.tensors))
        return float(alpha)


def locate_lora(path: Path) -> Path:
    """The file that ``path`` means: itself, or what PEFT or diffusers saved in the folder. Raises
    LoraFileError when there is none."""
    if path.is_dir():
        for name in _FILES:
            if (path / name).is_file():
                return path / name
        raise LoraFileError(
            "There is no LoRA in the folder",
            f"{path}: neither {' nor '.join(_FILES)}",
            "Name the .safetensors file itself.",
        )
    if not path.exists():
        raise LoraFileError("The LoRA to continue is not there", f"{path}", "Check the path.")
    if not path.is_file():
        raise LoraFileError("The LoRA to continue is no file", f"{path}", "Check the path.")
    return path


def open_lora(path: Path) -> LoraFile:
    """The LoRA at ``path``, whose header alone is read.

    Raises WizardError for what is not a whole safetensors file, no LoRA, or a network of another
    kind; BaseModelError and HeaderError say what came instead of one.
    """
    path = locate_lora(path)
    check_beginning(path, "LoRA")
    header = read_header(path)
    for mark, what in _OTHER_NETWORKS:
        if name := next(filter(mark.search, header.tensors), ""):
            raise _another_kind(path, what, name)
    parts: dict[str, dict[str, str]] = {}
    unknown: list[str] = []
    for name in header.tensors:
        if found := _ending_of(name):
            stem, kind = found
            if kind in parts.setdefault(stem, {}):
                raise _broken(path, f"{_short(stem)} is there under two names")
            parts[stem][kind] = name
        else:
            unknown.append(name)
    layers = dict(_layers(path, header, parts))
    if not layers:
        seen = recognise(path, header)
        raise LoraFileError(
            f"This is {seen.what}, not a LoRA",
            f"{path}: {seen.why}",
            "Name the file of a LoRA, to go on from it; the base model stands in model.base.",
        )
    adapter = _adapter(path, header)
    if adapter.get("use_dora") is True:
        raise _another_kind(path, "a DoRA", f"{_PEFT_CONFIG}: use_dora")
    return LoraFile(path, header, layers, tuple(unknown), adapter)


def other_family(file: LoraFile) -> tuple[str, str, str]:
    """(family, its title, how one can tell) of the base that a file was trained on, as far as names
    and widths tell; empty where they do not."""
    for name in file.layers:
        for mark, family, title in _OTHER_FAMILIES:
            if mark.search(name):
                return family, title, f"it has {_short(name)}"
    for name, layer in file.layers.items():
        if _LISTENS.search(name):
            width = math.prod(file.header.tensors[layer.down].shape[1:])
            if width in _WIDTHS:
                return *_WIDTHS[width], f"it listens to text of width {width}"
    return "", "", ""


def _layers(
    path: Path, header: Header, parts: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, FileLayer]]:
    for stem, names in parts.items():
        if names.keys() == {"alpha"}:
            raise _broken(path, f"{_short(stem)} has an alpha and nothing else")
        for end in ("down", "up"):
            if end not in names:
                raise _broken(path, f"{_short(stem)} has no {end}")
        layer = FileLayer(names["down"], names["up"], names.get("alpha", ""))
        down, up = header.tensors[layer.down], header.tensors[layer.up]
        shapes = f"down {list(down.shape)} and up {list(up.shape)}"
        if min(len(down.shape), len(up.shape)) < 2 or math.prod(up.shape[1:]) != down.shape[0]:
            raise _broken(path, f"{_short(stem)}: {shapes} do not fit together")
        if 0 in (*down.shape, *up.shape):
            raise _broken(path, f"{_short(stem)} is empty: {shapes}")
        if layer.alpha and math.prod(header.tensors[layer.alpha].shape) != 1:
            raise _broken(path, f"{_short(layer.alpha)} is not a single number")
        for name in filter(None, (layer.down, layer.up, layer.alpha)):
            if "F" not in header.tensors[name].dtype and name != layer.alpha:
                raise _broken(path, f"{_short(name)} holds {header.tensors[name].dtype}")
        yield stem, layer


def _ending_of(name: str) -> tuple[str, str] | None:
    found = _ENDING.search(name)
    if not found:
        return None
    kind = next(kind for kind, value in found.groupdict().items() if value is not None)
    return name[: found.start()], kind


def _adapter(path: Path, header: Header) -> dict[str, Any]:
    """PEFT's configuration: beside its file, or as diffusers writes it into the file."""
    text = header.metadata.get(_DIFFUSERS_CONFIG, "")
    beside = path.with_name(_PEFT_CONFIG)
    if not text and beside.is_file() and any(n.startswith("base_model.") for n in header.tensors):
        try:
            if beside.stat().st_size > _LARGEST_CONFIG:
                raise ValueError(f"it has {beside.stat().st_size:,} bytes")
            text = beside.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise _broken(beside, str(error)) from None
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _broken(beside, f"the adapter's configuration is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise _broken(beside, "the adapter's configuration is not a JSON object")
    return found


def _by_pattern(patterns: Any, name: str, otherwise: Any) -> Any:
    """As PEFT looks a layer up in its patterns: the first that its name ends with."""
    if isinstance(patterns, dict):
        for pattern, value in patterns.items():
            # Regular expressions, but what people and programs write are plain names.
            plain = pattern.removeprefix("^").replace("\\.", ".")
            if name == plain or name.endswith(f".{plain}"):
                return value
    return otherwise


def _bare(name: str) -> str:
    return name.replace("base_model.model.", "")


def _another_kind(path: Path, what: str, name: str) -> LoraFileError:
    return LoraFileError(
        f"This is {what}, which is not continued here",
        f"{path}: it has {_short(name)}",
        "Name a LoRA or LoCon file, or leave network.weights out to begin anew.",
    )


def _broken(path: Path, why: str) -> LoraFileError:
    return LoraFileError(
        "The LoRA to continue is broken",
        f"{path}: {why}",
        "Copy or download it again, or name another file.",
    )


def _short(name: str) -> str:
    return ascii(name[:80])[1:-1]
