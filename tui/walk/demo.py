"""The demo's run, begun alike from the command line and from Home."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.config import RunConfig, configfile
from ...core.files import write_text
from ...core.run.directory import RunDirectory
from ...core.templates import filled, find

FOLDER = "lora-wizard-demo"


@dataclass(frozen=True)
class Demo:
    """A demo that is ready to start."""

    toml: Path
    config: RunConfig
    run: RunDirectory


def prepare(folder: Path) -> Demo:
    """Write the demo's TOML into ``folder`` and make its run there, as `lora-wizard train` would.
    Raises WizardError when nothing can be written."""
    toml = folder.absolute() / "demo.toml"
    write_text(toml, filled(find("demo"), {"output.folder": "."}))
    config = configfile.load(toml)
    command = ["lora-wizard", "train", str(toml)]
    return Demo(toml, config, RunDirectory.create(config, command=command, measure="demo"))
