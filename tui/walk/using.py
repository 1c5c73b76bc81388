"""What to do with a finished file: how to fetch it, and how to use it elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ...core.places import size_text
from ...core.run.directory import RunDirectory
from ...core.run.outcome import RunOutcome, Version
from .transfer import download_command


def facts(
    run: RunDirectory,
    outcome: RunOutcome,
    version: Version,
    environ: Mapping[str, str] = os.environ,
) -> list[tuple[str, str]]:
    """(name, value) of what there is to know of a version's file; not yet safe to show."""
    if not version.file:
        why = "the base model itself" if version.step == 0 else "none was kept at this step"
        return [("File", f"none: {why}")]
    path = run.path / version.file
    found = [
        ("File", str(path)),
        ("Length", _length(version.bytes)),
        ("SHA-256", version.sha256),
    ]
    if command := download_command([path], environ):
        found.append(("Fetch it", command))
    if outcome.published and version is outcome.best:
        found.append(("Copied to", ", ".join(outcome.published)))
    return found


def standing(outcome: RunOutcome, version: Version) -> str:
    """What a version is among the others: ``best``, ``final``, or nothing."""
    if version.file and version.file == outcome.chosen:
        return "best"
    return "final" if outcome.final and version.step == outcome.final.step else ""


def in_other_programs(outcome: RunOutcome) -> str:
    """How the file is used in ComfyUI and in A1111, with this run's words."""
    config, best = outcome.config, outcome.best
    file = best.file if best else f"{config.output.name}.safetensors"
    name = file.removesuffix(".safetensors")
    words = ", ".join(config.captions.trigger_words)
    prompt = f"{words}, a photo of ..." if words else "what you want to see"
    skip = config.model.clip_skip
    clip = f"\n  Settings: Clip skip {skip}, as it was trained." if skip > 1 else ""
    comfy = (
        f"\n  For clip skip {skip}: a CLIP Set Last Layer node with -{skip}." if skip > 1 else ""
    )
    return (
        "ComfyUI\n"
        f"  Put {file} into ComfyUI/models/loras and press R in the browser.\n"
        "  Add a Load LoRA node between Load Checkpoint and what comes after it; both strengths "
        f"1.0 to begin with, lower when it is too strong.{comfy}\n"
        f"  Prompt: {prompt}\n\n"
        "A1111 (and Forge)\n"
        f"  Put {file} into models/Lora and press Refresh in the Lora tab.\n"
        f"  Prompt: <lora:{name}:1> {prompt}{clip}\n\n"
        "It works with the model it was trained on, and with others of the same family "
        f"({config.model.family})."
    )


def _length(number: int) -> str:
    exact = f"{number:,} bytes"
    return exact if number < 1000 else f"{exact} ({size_text(number)})"
