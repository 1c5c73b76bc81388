"""Command line flags made from the definitions of options."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.config.options import OptionInfo

_OPTION = "option_"


def add_options(
    group: argparse._ArgumentGroup, infos: Iterable[OptionInfo], own: Collection[str] = ()
) -> None:
    """A flag for each option. ``own`` are the command's own flags, without dashes: an option of
    such a name is called ``--option-NAME``."""
    from ..core.config.option_text import default_text

    for info in infos:
        default = "needed" if info.required else default_text(info)
        add_option(group, info.key, f"{info.help} ({info.allowed}; {default})", own)


def add_option(
    group: argparse._ArgumentGroup, name: str, help: str, own: Collection[str] = ()
) -> None:
    """One flag, whose value `given` tells."""
    group.add_argument(
        flag(name, own), dest=f"{_OPTION}{name}", metavar="VALUE", help=help.replace("%", "%%")
    )


def flag(name: str, own: Collection[str] = ()) -> str:
    """How the option ``name`` is typed."""
    word = name.replace("_", "-")
    return f"--option-{word}" if word in own else f"--{word}"


def given(arguments: argparse.Namespace) -> dict[str, str]:
    """The options that were typed, by their names."""
    return {
        name.removeprefix(_OPTION): value
        for name, value in vars(arguments).items()
        if name.startswith(_OPTION) and value is not None
    }
