"""Writes docs/options.md from the definitions.

python -m lora_wizard.core.config.options_doc [FILE]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from ..files import write_text
from .config_problems import options
from .option_text import default_text, section_help
from .options import OptionInfo

DEFAULT_PATH = Path("docs/options.md")
_INTRODUCTION = """\
# Every option of the TOML

Written by `make docs` from the definitions that also check the TOML; `lora-wizard options KEY`
shows the same in the terminal. Sources S0 to S4 are explained in [sources.md](sources.md);
"sd-scripts" is the name of the option there. Relative paths count from the TOML's folder.
"""


def document() -> str:
    """The whole document."""
    groups = groupby(options().values(), key=lambda info: info.section)
    return "\n".join([_INTRODUCTION, *(_section(name, list(infos)) for name, infos in groups)])


def _section(name: str, infos: list[OptionInfo]) -> str:
    title = f"[[{name.removesuffix('[]')}]]" if name.endswith("[]") else f"[{name}]"
    entries = "\n".join(line for info in infos for line in _entry(info))
    return f"## {title}\n\n{section_help(name)}\n\n{entries}\n"


def _entry(info: OptionInfo) -> Iterator[str]:
    yield f"### {info.key}\n"
    default = "required" if info.required else f"default `{default_text(info)}`"
    unit = f", in {info.unit}" if info.unit else ""
    level = ", basic" if info.level == "basic" else ""
    yield f"*{info.allowed}{unit}; {default}{level}*\n"
    yield f"{info.help}\n"
    notes = [f"Source: {info.source}." if info.source else ""]
    notes.append(f"sd-scripts: `{info.also}`." if info.also else "")
    if any(notes):
        yield " ".join(note for note in notes if note) + "\n"


if __name__ == "__main__":
    write_text(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PATH, document())
