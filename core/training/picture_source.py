"""Where a run's pictures and masks come from: encoded once for all runs, or anew at each use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ..config import RunConfig
from ..dataset.plan import Sample
from ..dataset.views import plain_view, views_to_cache
from ..families.base import ModelFamily
from ..run.job import Job
from .batches import CellMasks, Pictures
from .cache import EncodedPictures
from .fingerprints import Fingerprints
from .masks import Masks
from .pictures import Decoder, PicturesOnTheSpot
from .portions import tell_of_encoding
from .store import TensorStore


def hash_files(job: Job, fingerprints: Fingerprints, samples: Sequence[Sample]) -> dict[Path, str]:
    """SHA-256 of the bytes of every picture and mask."""
    paths = [sample.path for sample in samples]
    paths += [sample.mask.path for sample in samples if sample.mask]
    wanted = list(dict.fromkeys(paths))
    job.phase("fingerprint pictures", total=len(wanted))
    found: dict[Path, str] = {}
    for path in wanted:
        found[path] = fingerprints.of(path)
        job.progress(len(found))
    return found


def prepare_pictures(
    job: Job,
    config: RunConfig,
    family: ModelFamily,
    store: TensorStore,
    decoder: Decoder,
    device: torch.device,
    trained: Sequence[Sample],
    validated: Sequence[Sample],
) -> Pictures:
    """Encode all pictures that are not in the cache, unless each use is to be encoded anew."""
    masks = _masks(job, family, store, decoder, [*trained, *validated])
    if not config.dataset.cache_latents:
        anew = PicturesOnTheSpot(family, decoder)
        return Pictures(anew.gather, masks, anew.expect)
    views = [view for sample in trained for view in views_to_cache(sample, config)]
    views += [plain_view(sample) for sample in validated]
    job.phase("cache latents", total=len(views))
    encoded = EncodedPictures(store, family, config.model, decoder, device)
    encoded.fill(views, job.progress)
    tell_of_encoding(job, encoded.halved_to)
    family.release("vae")
    return Pictures(encoded.gather, masks)


def _masks(
    job: Job,
    family: ModelFamily,
    store: TensorStore,
    decoder: Decoder,
    samples: Sequence[Sample],
) -> CellMasks | None:
    views = [plain_view(sample) for sample in samples if sample.mask]
    if not views:
        return None
    job.phase("cache masks", total=len(views))
    masks = Masks(store, family, decoder)
    masks.fill(views, job.progress)
    return masks.gather
