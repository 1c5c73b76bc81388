"""Where the embedded demo's data lies."""

from pathlib import Path

from ..config.paths import templates_folder


def demo_folder() -> Path:
    """The installed folder with `base/`, `pictures/`, `regularization/`, `judge.safetensors`."""
    return templates_folder() / "demo"
