"""Where the embedded demo's data lies."""

from importlib.resources import files
from pathlib import Path


def demo_folder() -> Path:
    """The installed folder with `base/`, `pictures/`, `regularization/`, `judge.safetensors`."""
    # The package is data: found by name, for `core` imports nothing that is above it.
    return Path(str(files("lora_wizard.templates"))) / "demo"
