"""Base models from the hub: what is in its cache first, then what a download brings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from .base_model import BaseModelError, Part, missing_files, weight_variant

_CONFIGS = ("*.json", "*.txt", "*.model")


def snapshot(repository: str, parts: Sequence[Part], given: Collection[str] = ()) -> Path:
    """The folder of ``repository`` in the hub's cache, downloaded when it is not whole there. Parts
    in the subfolders ``given`` may be absent.

    Only configurations, tokenizer files and one set of safetensors weights are taken: many
    repositories hold the same weights four times. The token is the hub's own (``hf auth login`` or
    ``HF_TOKEN``) and never passes through here.

    Raises BaseModelError: unknown, gated, offline, no safetensors.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        there = cached(repository, parts, given)
        return there or Path(
            snapshot_download(repository, allow_patterns=_wanted(repository, parts, given))
        )
    except GatedRepoError:
        raise BaseModelError(
            "The base model is gated",
            f"model.base: {repository} asks for its licence to be accepted",
            f"Accept it at https://huggingface.co/{repository}, then log in: hf auth login (or set "
            "HF_TOKEN)",
        ) from None
    except RepositoryNotFoundError:
        raise BaseModelError(
            "The hub does not know the base model, or does not show it to you",
            f"model.base: {repository}",
            "Look for a typing mistake; a private one needs a login: hf auth login",
        ) from None
    except HFValidationError:
        raise BaseModelError(
            "The base model is neither a folder nor a hub id",
            f"model.base: {repository}",
            "Give a folder in the diffusers layout, a hub id such as "
            "stable-diffusion-v1-5/stable-diffusion-v1-5, or embedded:demo.",
        ) from None
    except BaseModelError:
        raise
    except Exception as error:
        # A failed connection raises whatever the HTTP library of the day raises; its text may hold
        # an address with parameters, so only its kind is shown.
        raise BaseModelError(
            "The base model is not on this machine, and the hub cannot be reached",
            f"model.base: {repository} ({type(error).__name__})",
            "Go online (and unset HF_HUB_OFFLINE), or give a folder. A download that was "
            "interrupted goes on where it stopped.",
        ) from None


def cached(repository: str, parts: Sequence[Part], given: Collection[str] = ()) -> Path | None:
    """The snapshot in the hub's cache, if all of it that we read is there, or ``given``."""
    from huggingface_hub import try_to_load_from_cache

    part = next(part for part in parts if part.files)
    # Asked for by a file: a cache that was filled in part counts as incomplete as a whole.
    found = try_to_load_from_cache(repository, f"{part.folder}/{part.files[0]}")
    if not isinstance(found, str):
        return None
    snapshot = Path(found).parents[1]
    return None if missing_files(snapshot, parts, given) else snapshot


def _wanted(repository: str, parts: Sequence[Part], given: Collection[str]) -> list[str]:
    from huggingface_hub import HfApi

    listed = HfApi().list_repo_files(repository)
    patterns = ["model_index.json"]
    for part in parts:
        patterns += [f"{part.folder}/{pattern}" for pattern in _CONFIGS]
        is_spare = part.folder in given and not any(f"{part.folder}/" in name for name in listed)
        if part.weights and not is_spare:
            patterns += _weights(repository, part, listed)
    return patterns


def _weights(repository: str, part: Part, listed: Sequence[str]) -> list[str]:
    prefix = f"{part.folder}/"
    names = [name.removeprefix(prefix) for name in listed if name.startswith(prefix)]
    try:
        variant = weight_variant(names, part.weights)
    except FileNotFoundError:
        raise BaseModelError(
            "The base model has no .safetensors weights",
            f"model.base: {repository}, {part.folder}: pickled weights are never read",
            "Take another copy of it: most bases exist with .safetensors files.",
        ) from None
    stem = f"{part.weights}.{variant}" if variant else part.weights
    sharded = f"{stem}.safetensors" not in names
    return [f"{prefix}{stem}-*.safetensors" if sharded else f"{prefix}{stem}.safetensors"]
