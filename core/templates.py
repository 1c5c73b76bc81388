"""Templates: TOMLs with a source for each value, to begin a run from.

A template is one file in the templates folder. Its first comments say what it is:

    # title: A face
    # summary: One person's face ...
    #   goes on in lines with more indentation
    # source: S0; ...
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config.paths import templates_folder
from .errors import WizardError


@dataclass(frozen=True)
class Template:
    """A TOML to begin from."""

    name: str
    title: str
    summary: str
    source: str
    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")


class UnknownTemplateError(WizardError):
    """There is no template of that name."""


def templates() -> list[Template]:
    """All templates, by name."""
    return [_template(path) for path in sorted(templates_folder().glob("*.toml"))]


def find(name: str) -> Template:
    """The template called ``name``. Raises UnknownTemplateError with a did-you-mean."""
    known = {template.name: template for template in templates()}
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    raise UnknownTemplateError(
        f'There is no template "{name}"', "", f"{hint}There are: {', '.join(known)}."
    )


def filled(template: Template, values: Mapping[str, Any]) -> str:
    """The template's text with ``values`` (dotted key -> value) put in, comments kept."""
    from .config.edit import TomlText

    text = TomlText(template.text)
    for key, value in values.items():
        text.set(key, value)
    return str(text)


def _template(path: Path) -> Template:
    said = _leading_comments(path.read_text(encoding="utf-8"))
    return Template(
        name=path.stem,
        title=said.get("title", path.stem),
        summary=said.get("summary", ""),
        source=said.get("source", ""),
        path=path,
    )


def _leading_comments(text: str) -> dict[str, str]:
    said: dict[str, str] = {}
    word = ""
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        comment = line[1:]
        if comment.startswith("  ") and word:
            said[word] = f"{said[word]} {comment.strip()}"
        elif ":" in comment:
            word, _, rest = comment.strip().partition(":")
            said[word] = rest.strip()
    return said
