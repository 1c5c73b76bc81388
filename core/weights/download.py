"""Download a base model from the hub in a process of its own, which outlives whoever asked for it
and goes on where it stopped when it is asked again.

``python -m lora_wizard.core.weights.download FAMILY HUB_ID``; its last line of output is JSON, with
the folder or with what went wrong.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

from ..errors import EXIT_USER_ERROR, WizardError
from .base_model import BaseModelError
from .hub import snapshot

_MODULE = "lora_wizard.core.weights.download"
_begun: dict[str, Download] = {}


def under_way(repository: str) -> Download | None:
    """The download of ``repository`` that this process has begun and that has not ended."""
    found = _begun.get(repository)
    return found if found and not found.wait(0) else None


class Download:
    """A download that is going on."""

    def __init__(self, repository: str, family: str) -> None:
        """Begin."""
        self.repository = repository
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, family, repository],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._bytes_before = self.bytes_here()
        _begun[repository] = self

    @property
    def bytes_came(self) -> int:
        """How much has come since it was begun."""
        return max(0, self.bytes_here() - self._bytes_before)

    def wait(self, timeout: float) -> bool:
        """Whether it has ended, within ``timeout`` seconds."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End it; what has come is kept, and the next download goes on from there."""
        self._process.terminate()
        self._process.wait()

    def check(self) -> None:
        """After its end: raises BaseModelError when it has not brought the model."""
        output = self._process.stdout.read() if self._process.stdout else ""
        if self._process.returncode < 0:
            raise BaseModelError(
                "The download was stopped", self.repository, "What has come is kept: start again."
            )
        try:
            said = json.loads(output.strip().rpartition("\n")[2])
        except ValueError:
            said = {"title": "The download has failed", "message": self.repository}
        if "folder" not in said:
            words = (str(said.get(key, "")) for key in ("title", "message", "remedy"))
            raise BaseModelError(*words)

    def bytes_here(self) -> int:
        """How much of the repository is on this machine, parts of files included."""
        from huggingface_hub.constants import HF_HUB_CACHE

        blobs = Path(HF_HUB_CACHE, f"models--{self.repository.replace('/', '--')}", "blobs")
        try:
            return sum(path.stat().st_size for path in blobs.iterdir())
        except OSError:
            return 0


def main(family: str, repository: str) -> int:
    """Download; 0 when it is whole."""
    from ..families import registry

    try:
        with redirect_stdout(sys.stderr):
            parts = registry.find(family).parts
            given = {part.folder for part in parts if part.option}
            said = {"folder": str(snapshot(repository, parts, given))}
    except WizardError as error:
        said = {"title": error.title, "message": error.message, "remedy": error.remedy}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0 if "folder" in said else EXIT_USER_ERROR


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
