"""What single values cannot show: options that contradict each other, or do nothing together.

Each rule reads a RunConfig with absolute paths and nothing else: no disk, no model family's code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import Problem
from .run_config import RunConfig

MAX_SIDE = 8192
MIN_SIDE = 8
_LONGEST_NAME = 200
"""Bytes of a file name, so that an epoch's number and the ending still fit into 255."""


@dataclass(frozen=True)
class Finding:
    """A problem and the options it comes from."""

    problem: Problem
    keys: tuple[str, ...]


Rule = Callable[[RunConfig], Iterator[Finding]]


def findings(config: RunConfig) -> list[Finding]:
    """All that is wrong or without effect in ``config``."""
    return [finding for rule in _RULES for finding in rule(config)]


def _error(message: str, *keys: str, remedy: str = "") -> Finding:
    return Finding(Problem(message, where=keys[0], remedy=remedy), keys)


def _warning(message: str, *keys: str, remedy: str = "") -> Finding:
    return Finding(Problem(message, where=keys[0], remedy=remedy, severity="warning"), keys)


def _pictures(config: RunConfig) -> Iterator[Finding]:
    dataset = config.dataset
    keys = ("dataset.folder", "dataset.concepts")
    if not dataset.folder and not dataset.concepts:
        yield _error("is required", *keys, remedy="Name the folder with the pictures.")
    if dataset.folder and dataset.concepts:
        yield _error("stands beside dataset.concepts", *keys, remedy="Keep one of the two.")
    folders = [concept.folder for concept in dataset.concepts]
    for index, folder in enumerate(folders):
        if folder in folders[:index]:
            yield _error(
                "is the folder of an earlier concept too",
                f"dataset.concepts[{index}].folder",
                remedy="Name each folder once; its repeats give it weight.",
            )
    if dataset.concepts and dataset.repeats != 1:
        yield _warning(
            "has no effect beside dataset.concepts",
            "dataset.repeats",
            "dataset.concepts",
            remedy="Give each concept its own repeats.",
        )


def _folders(config: RunConfig) -> Iterator[Finding]:
    dataset = config.dataset
    pictures = {"dataset.folder": dataset.folder} if dataset.folder else {}
    pictures |= {
        f"dataset.concepts[{index}].folder": concept.folder
        for index, concept in enumerate(dataset.concepts)
    }
    regularization = dataset.regularization_folder
    for key, folder in pictures.items():
        if regularization and Path(regularization) == Path(folder):
            yield _error(
                f"is the same folder as {key}",
                "dataset.regularization_folder",
                key,
                remedy="Class pictures are other pictures than the subject's.",
            )
    pictures |= {"dataset.regularization_folder": regularization} if regularization else {}
    for key, folder in pictures.items():
        if Path(config.output.folder).is_relative_to(folder):
            yield _error(
                f"is inside {key}: sample pictures would become training pictures",
                "output.folder",
                key,
                remedy="Choose a folder elsewhere.",
            )


def _sizes(config: RunConfig) -> Iterator[Finding]:
    dataset = config.dataset
    resolution = dataset.resolution
    sides = [resolution] if isinstance(resolution, int) else resolution
    key = "dataset.resolution"
    if sides is not None:
        if isinstance(resolution, list) and len(resolution) != 2:
            yield _error(f"has {len(resolution)} sides", key, remedy="Write [width, height].")
        elif not all(MIN_SIDE <= side <= MAX_SIDE for side in sides):
            yield _error(f"has a side that is not from {MIN_SIDE} to {MAX_SIDE}", key)
    low, high = dataset.bucket_min_side, dataset.bucket_max_side
    if low is not None and high is not None and low > high:
        yield _error(
            f"is {low}, more than dataset.bucket_max_side, {high}",
            "dataset.bucket_min_side",
            "dataset.bucket_max_side",
        )
    if not dataset.buckets:
        for name in ("bucket_step", "bucket_min_side", "bucket_max_side"):
            if getattr(dataset, name) is not None and name != "bucket_step":
                yield _warning(
                    "has no effect while dataset.buckets is false",
                    f"dataset.{name}",
                    "dataset.buckets",
                )


def _captions(config: RunConfig) -> Iterator[Finding]:
    captions = config.captions
    if captions.keep_tokens and not captions.shuffle:
        yield _warning(
            "has no effect without captions.shuffle", "captions.keep_tokens", "captions.shuffle"
        )
    words = len(captions.trigger_words)
    if captions.shuffle and captions.keep_tokens < words:
        yield _warning(
            f"is {captions.keep_tokens}: shuffling will move the trigger words away from the front",
            "captions.keep_tokens",
            "captions.shuffle",
            "captions.trigger_words",
            remedy=f"Set it to {words} or more.",
        )


def _optimizer(config: RunConfig) -> Iterator[Finding]:
    optimizer = config.optimizer
    if optimizer.unet_learning_rate == "off" and optimizer.text_encoder_learning_rate == "off":
        yield _error(
            'is "off", and so is optimizer.text_encoder_learning_rate: nothing would be trained',
            "optimizer.unet_learning_rate",
            "optimizer.text_encoder_learning_rate",
            remedy="Train at least one of them.",
        )
    if not all(0 <= beta < 1 for beta in optimizer.betas):
        yield _error("must be two numbers from 0 to below 1", "optimizer.betas")
    warmup, most = optimizer.warmup, config.training.max_steps
    if warmup > 1 and warmup != int(warmup):
        yield _error(
            f"is {warmup:g}: neither a whole number of steps nor, below 1, a share",
            "optimizer.warmup",
        )
    elif most is not None and warmup >= 1 and warmup >= most:
        yield _error(
            f"takes {int(warmup)} steps, as many as training.max_steps allows, {most}",
            "optimizer.warmup",
            "training.max_steps",
            remedy="The full learning rate would never be reached: shorten it.",
        )
    for name, default, scheduler in (
        ("restarts", 1, "cosine_with_restarts"),
        ("power", 1.0, "polynomial"),
    ):
        if getattr(optimizer, name) != default and optimizer.scheduler != scheduler:
            yield _warning(
                f'has no effect with the scheduler "{optimizer.scheduler}"',
                f"optimizer.{name}",
                "optimizer.scheduler",
            )


def _loss(config: RunConfig) -> Iterator[Finding]:
    if config.loss.prior_loss_weight != 1 and not config.dataset.regularization_folder:
        yield _warning(
            "has no effect without dataset.regularization_folder",
            "loss.prior_loss_weight",
            "dataset.regularization_folder",
        )


def _output(config: RunConfig) -> Iterator[Finding]:
    name = config.output.name
    if name.startswith("."):
        yield _error("begins with a dot, which hides the file", "output.name")
    if name.lower().endswith((".safetensors", ".ckpt", ".pt")):
        yield _error("has a file's ending, which is added anyway", "output.name")
    if len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        yield _error(f"is longer than {_LONGEST_NAME} bytes", "output.name")
    saves = config.output.save_every_epochs or config.output.save_every_steps
    if config.output.keep_last and not saves:
        yield _warning(
            "has no effect while nothing is saved on the way",
            "output.keep_last",
            "output.save_every_epochs",
            "output.save_every_steps",
        )


def _samples(config: RunConfig) -> Iterator[Finding]:
    if not config.samples.prompts and (config.samples.every_steps or config.samples.every_epochs):
        problem = Problem(
            "is empty: no pictures will be drawn on the way",
            where="samples.prompts",
            remedy='Add one to see it learn, such as "mika, a photo of a woman".',
            severity="note",
        )
        yield Finding(problem, ("samples.prompts",))


_RULES: Sequence[Rule] = (
    _pictures,
    _folders,
    _sizes,
    _captions,
    _optimizer,
    _loss,
    _samples,
    _output,
)
