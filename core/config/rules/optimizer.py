"""Rules of `[optimizer]`."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import Mend
from ...optimizers import settings
from ...optimizers.base import OptimizerSpec
from ..run_config import RunConfig
from ..sections.optimizer import OptimizerOptions
from .base import Finding, Rule, error, warning

_PARTS = ("unet_learning_rate", "text_encoder_learning_rate")


def _optimizer(config: RunConfig) -> Iterator[Finding]:
    optimizer = config.optimizer
    if optimizer.unet_learning_rate == "off" and optimizer.text_encoder_learning_rate == "off":
        yield error(
            'is "off", and so is optimizer.text_encoder_learning_rate: nothing would be trained',
            "optimizer.unet_learning_rate",
            "optimizer.text_encoder_learning_rate",
            remedy="Train at least one of them.",
        )
    if not all(0 <= beta < 1 for beta in optimizer.betas or ()):
        yield error("must be two numbers from 0 to below 1", "optimizer.betas")
    warmup, most = optimizer.warmup, config.training.max_steps
    if warmup > 1 and warmup != int(warmup):
        yield error(
            f"is {warmup:g}: neither a whole number of steps nor, below 1, a share",
            "optimizer.warmup",
        )
    elif most is not None and warmup >= 1 and warmup >= most:
        yield error(
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
            yield warning(
                f'has no effect with the scheduler "{optimizer.scheduler}"',
                f"optimizer.{name}",
                "optimizer.scheduler",
            )


def _of_its_kind(config: RunConfig) -> Iterator[Finding]:
    """What the optimizer of that name has to say."""
    spec = settings.known(config.optimizer.name)
    if spec is None:
        return
    options = settings.settled(config.optimizer)
    for problem in settings.argument_problems(spec, options):
        yield Finding(problem, (problem.where,))
    yield from spec.check(options) if spec.check else ()
    for name in ("weight_decay", "betas", "epsilon"):
        if getattr(options, name) is not None and name not in spec.usual:
            yield warning(f"has no effect with {spec.title}", f"optimizer.{name}", "optimizer.name")
    if spec.finished_weights and config.training.ema_decay:
        yield error(
            f"averages what {spec.title} averages already",
            "training.ema_decay",
            "optimizer.name",
            remedy="Leave it out.",
        )
    if spec.makes_own_rate(options):
        yield from _own_rate(spec, options)
    elif "learning_rate" in spec.usual:
        yield from _rates(spec, options)


def _rates(spec: OptimizerSpec, options: OptimizerOptions) -> Iterator[Finding]:
    usual = spec.usual["learning_rate"]
    rates = {name: rate for name in _PARTS if (rate := getattr(options, name)) != "off"}
    if "inherit" in rates.values():
        rates["learning_rate"] = options.learning_rate
    rates = {name: rate for name, rate in rates.items() if rate != "inherit"}
    values: dict[str, object] = {f"optimizer.{name}": "inherit" for name in rates if name in _PARTS}
    mend = Mend(f"Rate {usual:g} for all", {"optimizer.learning_rate": usual, **values})
    low, high = spec.sensible_rates
    for name, rate in rates.items():
        if not low < rate < high:
            effect = "next to nothing would be learned" if rate <= low else "it would not settle"
            yield warning(
                f"is {rate:g}, and {spec.title}'s usual one is {usual:g}: {effect}",
                f"optimizer.{name}",
                "optimizer.name",
                remedy=f"Set it to {usual:g}.",
                mends=(mend,),
            )
    if not spec.one_rate:
        return
    if len(set(rates.values())) > 1:
        yield error(
            f"is another rate than the rest has, and {spec.title} has one for all",
            next(f"optimizer.{name}" for name in reversed(_PARTS) if name in rates),
            "optimizer.name",
            remedy='Set it to "inherit", or to "off".',
            mends=(mend,),
        )
    if options.loraplus_ratio != 1:
        yield error(
            f"gives the up matrices another rate, and {spec.title} has one for all",
            "optimizer.loraplus_ratio",
            "optimizer.name",
            remedy="Leave it out, or take another optimizer.",
        )


def _own_rate(spec: OptimizerSpec, options: OptimizerOptions) -> Iterator[Finding]:
    """The optimizer makes rate and schedule; nobody else may."""
    why = f"with these arguments {spec.title} makes its own learning rate and schedule"
    others = {
        "learning_rate": (options.learning_rate, None),
        "scheduler": (options.scheduler, "constant"),
        "warmup": (options.warmup, 0),
        "loraplus_ratio": (options.loraplus_ratio, 1.0),
    }
    wrong = [name for name, (value, expected) in others.items() if value != expected]
    wrong += [name for name in _PARTS if getattr(options, name) not in ("off", "inherit")]
    for name in wrong:
        rather = '"inherit" or "off"' if name in _PARTS else "left out"
        yield error(
            f"must be {rather}: {why}",
            f"optimizer.{name}",
            "optimizer.arguments",
            remedy="Or change optimizer.arguments.",
        )


RULES: tuple[Rule, ...] = (_optimizer, _of_its_kind)
