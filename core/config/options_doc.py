"""Writes docs/options.md from the definitions.

python -m lora_wizard.core.config.options_doc [FILE]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from ..files import write_text
from ..optimizers.settings import argument_infos, with_arguments
from .config_problems import options
from .option_text import allowed_text, default_text, section_help, section_title
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
    parts = [_INTRODUCTION]
    for name, infos in groupby(options().values(), key=lambda info: info.section):
        parts.append(_section(section_title(name), section_help(name), list(infos)))
        if name == "optimizer":
            parts += [
                _section(f"{spec.title}'s own arguments", spec.help, argument_infos(spec))
                for spec in with_arguments()
            ]
    return "\n".join(parts)


def _section(title: str, purpose: str, infos: list[OptionInfo]) -> str:
    entries = "\n".join(line for info in infos for line in _entry(info))
    return f"## {title}\n\n{purpose}\n\n{entries}\n"


def _entry(info: OptionInfo) -> Iterator[str]:
    yield f"### {info.key}\n"
    default = "required" if info.required else f"default `{default_text(info)}`"
    level = ", basic" if info.level == "basic" else ""
    yield f"*{allowed_text(info)}; {default}{level}*\n"
    yield f"{info.help}\n"
    notes = [f"Source: {info.source}." if info.source else ""]
    notes.append(f"sd-scripts: `{info.also}`." if info.also else "")
    if any(notes):
        yield " ".join(note for note in notes if note) + "\n"


if __name__ == "__main__":
    write_text(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PATH, document())
