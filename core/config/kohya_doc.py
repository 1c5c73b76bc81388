"""Writes docs/from-kohya.md from the definitions: what a key is called in kohya_ss and sd-scripts.

python -m lora_wizard.core.config.kohya_doc [FILE]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ..files import write_text
from .config_problems import options
from .option_text import default_text
from .options import OptionInfo

DEFAULT_PATH = Path("docs/from-kohya.md")
_INTRODUCTION = """\
# From kohya_ss and sd-scripts

The left column is the name in sd-scripts' command line and TOML; kohya_ss shows the same options
under similar labels. `lora-wizard options KEY` explains a key at length, [options.md](options.md)
all of them. Written by `make docs` from the definitions that also check the TOML.

| there | here | what it does | default |
|---|---|---|---|
"""
_WITHOUT_A_KEY = """
## What needs no key here

| there | here |
|---|---|
| `N_name` folders | the same; a flat folder works as well, with `dataset.repeats` |
| `caption_extension` | `.txt` and `.caption` are found by themselves |
| `cache_latents_to_disk`, `skip_cache_check` | encoded once for all runs, under the content's own key: nothing is ever stale. `lora-wizard cache` shows what it takes |
| `sdpa`, `xformers`, `mem_eff_attn` | PyTorch's own attention, always |
| `network_train_unet_only` | `optimizer.text_encoder_learning_rate = "off"` |
| `network_train_text_encoder_only` | `optimizer.unet_learning_rate = "off"` |
| a learning rate of 0 | `"off"`, or `"inherit"` for the common rate: 0 means either, by program, and is refused |
| `save_state`, `save_state_on_train_end`, `resume`, `skip_until_initial_step` | a state with every save, and `lora-wizard resume`, exactly where it was |
| `output_config`, `config_file` | each run keeps its TOML, which trains the same again |
| `logging_dir`, `log_with` | the monitor, `trainer.log`, `events.jsonl`, `report.html` |
| `max_data_loader_n_workers`, `persistent_data_loader_workers` | nothing is loaded while it trains |
| `lowram`, `highvram`, `vae_batch_size` | parts are loaded when they are needed and let go after |
| `full_fp16`, `full_bf16` | the LoRA's own weights stay in fp32 |
| `accelerate launch` | `lora-wizard train` |
"""  # noqa: E501
_SAME = re.compile(
    r"model\.(clip_skip|zero_terminal_snr)|dataset\.(resolution|cache_latents)|augmentation\.random_crop"
    r"|captions\.keep_tokens|training\.(gradient_checkpointing|max_grad_norm|seed)"
    r"|optimizer\.learning_rate|output\.save_precision"
    r"|loss\.(huber_(c|scale|schedule)|min_snr_gamma|(min|max)_timestep|prior_loss_weight"
    r"|noise_offset(_random_strength)?|adaptive_noise_scale)"
)
"""Keys whose last word is sd-scripts' name, too."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def document() -> str:
    """The whole document."""
    rows = sorted({row for info in options().values() for row in _rows(info)})
    return _INTRODUCTION + "".join(rows) + _WITHOUT_A_KEY


def _rows(info: OptionInfo) -> Iterator[str]:
    said = info.also.split(", ") if info.also else []
    note = " (the other way round)" if "inverted" in said else ""
    names = [name for name in said if _NAME.fullmatch(name) and name != "inverted"]
    if not names and _SAME.fullmatch(info.key):
        names = [info.key.rpartition(".")[2]]
    default = "required" if info.required else f"`{default_text(info)}`"
    what = _first_sentence(info.help).replace("|", "\\|")
    for name in names:
        yield f"| `{name}`{note} | `{info.key}` | {what} | {default} |\n"


def _first_sentence(text: str) -> str:
    ends = (hit.start() for hit in re.finditer(r"[.;:](?= |$)", text))
    # Not inside of quotation marks.
    return text[: next((end for end in ends if text[:end].count('"') % 2 == 0), len(text))]


if __name__ == "__main__":
    write_text(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PATH, document())
