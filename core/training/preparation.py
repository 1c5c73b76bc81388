"""From a run directory to a `Trainer`: the plan, the caches, the network and the optimizer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch

from .. import cache_room, places
from ..config import RunConfig
from ..dataset.buckets import BucketRule
from ..dataset.build import build_plan, verify_plan
from ..dataset.caption_variants import caption_variants
from ..dataset.captions import final_caption
from ..dataset.plan import DatasetPlan, Draw, Sample
from ..dataset.validation import validation_config, validation_plan
from ..errors import ProblemsError, WizardError
from ..families import registry as families
from ..families.base import ModelFamily, SamplePrompt, load_implementation
from ..hardware import device_name
from ..networks import registry as networks
from ..networks.base import Network
from ..optimizers import registry as optimizers
from ..optimizers.base import OptimizerSpec, ParameterGroup
from ..optimizers.settings import missing_package, settled
from ..run.job import Job
from ..sampling.prompts import expand
from ..schedule import BatchCounts, Schedule
from ..weights import kohya, metadata
from . import manifest, states
from .batches import Batches, Pictures, Prompts
from .cache import EncodedPrompts
from .continuation import Beginning
from .ema import MovingAverage
from .fingerprints import Fingerprints
from .foreknown import tell_deadline
from .groups import parameter_groups
from .outputs import Outputs
from .picture_source import hash_files, prepare_pictures
from .pictures import Decoder
from .portions import Portions, tell_of_encoding
from .previews import Previews
from .rates import DENOISER, RateSchedule, base_rates
from .setbacks import Setbacks
from .states import Origin, States
from .store import TensorStore
from .trainer import Trainer
from .validation import Validation


def prepare(job: Job, plan: DatasetPlan | None = None) -> Trainer:
    """Everything before the first step; raises WizardError for whatever a person can mend.
    ``plan`` is another than the whole dataset's, for a rehearsal.

    The order is that of memory: the VAE is gone before the text encoder comes, and, unless it is
    trained, that one before the denoiser.
    """
    config = job.directory.config()
    if config.training.deterministic:
        _allow_exact_operations_alone()
    plan = plan or _plan(job, config)
    schedule = Schedule.of(plan, config)
    device = _device(job, config)
    job.phase("load model")
    family = _family(config, device)
    # What can be wrong is asked before the hours of encoding, not after.
    rates = _rates(config, family)
    sample_prompts = _sample_prompts(config, family)
    optimizer_spec = _optimizer_spec(config)
    source = _Source(job, config, plan, family, device)
    validated = validation_plan(config, family.spec)
    looked_at = validated.samples if validated else ()
    hashes = hash_files(job, source.fingerprints, [*plan.samples, *looked_at])
    origin = Origin.of(config, manifest.of_plan(plan, hashes), family.base_hash(), device)
    standing = states.find(job, origin)
    beginning = Beginning.of(job, config, standing)
    origin = origin.going_on_from(beginning.sha256)
    decoder = Decoder(hashes, source.fingerprints)
    pictures = source.pictures(decoder, looked_at)
    prompts = source.prompts(set(rates) - {DENOISER}, schedule, validated)
    source.make_room(set(rates))
    job.phase("attach network")
    network = _attached(config, family, rates, beginning)
    groups = parameter_groups(network, rates, config.optimizer.loraplus_ratio)
    optimizer = optimizer_spec.build(groups, settled(config.optimizer))
    decay = config.training.ema_decay
    average = MovingAverage(network, decay) if decay else None
    scaler = torch.amp.GradScaler(device.type) if config.model.precision == "fp16" else None
    contents = _contents(config, plan, schedule, family, network, beginning.sha256)
    trained = [_module(family, part) for part in rates]
    validation = Validation(job, config, family, looked_at, trained, pictures, prompts, device)
    return Trainer(
        job=job,
        config=config,
        plan=plan,
        schedule=schedule,
        rates=_schedule_of(groups, config, schedule),
        network=network,
        optimizer=optimizer,
        optimizer_spec=optimizer_spec,
        scaler=scaler,
        batches=Batches(config, family, pictures, prompts, device),
        states=States(job, origin, standing, network, optimizer, scaler, average),
        outputs=Outputs(job, config, schedule, contents),
        previews=Previews(job, family, sample_prompts),
        average=average,
        validation=validation if looked_at else None,
        portions=Portions(job),
        setbacks=Setbacks(job, schedule.total_steps),
    )


def _allow_exact_operations_alone() -> None:
    """An operation that has no exact form raises from now on, instead of being silently inexact."""
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False


def _optimizer_spec(config: RunConfig) -> OptimizerSpec:
    spec = optimizers.find(config.optimizer.name)
    if problem := missing_package(spec):
        raise ProblemsError("The optimizer cannot be used", [problem])
    return spec


def _plan(job: Job, config: RunConfig) -> DatasetPlan:
    job.phase("read dataset")
    plan = build_plan(config, families.find(config.model.family), progress=_shown(job))
    # What the plan noticed was shown before the run began, and `check` shows it again.
    job.phase("check pictures", total=len(plan.samples))
    verify_plan(plan, progress=_shown(job))
    return plan


def _device(job: Job, config: RunConfig) -> torch.device:
    """What is computed on, told to whoever watches and to the run's deadline."""
    job.emit("device", name=device_here())
    tell_deadline(job, config, device_here())
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_here() -> str:
    """What training computes on here, as `hardware.device_name` calls it."""
    return device_name(torch.cuda.get_device_name() if torch.cuda.is_available() else "")


def _family(config: RunConfig, device: torch.device) -> ModelFamily:
    return load_implementation(families.find(config.model.family))(config.model, device)


def _rates(config: RunConfig, family: ModelFamily) -> dict[str, float]:
    rates = base_rates(config.optimizer, [DENOISER, *_text_encoders(family)])
    if not rates:
        raise WizardError(
            "There is nothing to train",
            'optimizer.unet_learning_rate and optimizer.text_encoder_learning_rate are both "off".',
            'Set one of them to "inherit" or a number.',
        )
    return rates


def _attached(
    config: RunConfig, family: ModelFamily, rates: Mapping[str, float], beginning: Beginning
) -> Network:
    """The network on what is trained, with the weights that the run begins from."""
    network = networks.attach(
        family, config.network, config.training.seed, list(rates), beginning.sizes
    )
    beginning.give_to(network)
    if config.training.gradient_checkpointing:
        # Only now: what is trained is known by the network that hangs on it.
        family.enable_gradient_checkpointing()
    return network


def _schedule_of(
    groups: Sequence[ParameterGroup], config: RunConfig, schedule: Schedule
) -> RateSchedule:
    base = {group.name: group.rate for group in groups}
    return RateSchedule(config.optimizer, base, schedule.total_steps, schedule.warmup_steps)


def _module(family: ModelFamily, part: str) -> torch.nn.Module:
    return family.denoiser if part == DENOISER else family.text_encoders[part]


def _text_encoders(family: ModelFamily) -> list[str]:
    # From the spec: asking the family for the modules would load them.
    return list(family.spec.text_encoder_prefixes)


def _sample_prompts(config: RunConfig, family: ModelFamily) -> list[SamplePrompt]:
    rule = BucketRule.of(config.dataset, family.spec)
    return expand(config, (rule.width, rule.height))


def _contents(
    config: RunConfig,
    plan: DatasetPlan,
    schedule: Schedule,
    family: ModelFamily,
    network: Network,
    continued: str,
) -> Callable[[int, int], bytes]:
    """The bytes of a file at (step, epoch), with the network as it is when called."""
    rule = BucketRule.of(config.dataset, family.spec)
    module = networks.find(config.network.type).module
    precision = config.output.save_precision or config.model.precision
    begun = metadata.Training(
        resolution=(rule.width, rule.height),
        batches_per_epoch=BatchCounts.of(plan, config).micro_batches(1),
        epochs=schedule.epochs,
        total_steps=schedule.total_steps,
        warmup_steps=schedule.warmup_steps,
        step=0,
        epoch=0,
        continued=continued,
        own_ranks=bool(network.own_sizes),
    )

    def contents(step: int, epoch: int) -> bytes:
        now = replace(begun, step=step, epoch=epoch)
        facts = metadata.build(config, family.spec, module, family.base_hash(), plan, now)
        return kohya.to_bytes(network, precision, facts)

    return contents


def _shown(job: Job) -> Callable[[int, int], None]:
    return lambda done, total: job.progress(done)


@dataclass
class _Source:
    """Where the loop's pictures and prompts come from."""

    job: Job
    config: RunConfig
    plan: DatasetPlan
    family: ModelFamily
    device: torch.device

    def __post_init__(self) -> None:
        cache = places.cache_folder()
        self._begun = time.time()
        self.store = TensorStore(cache / "encoded")
        self.fingerprints = Fingerprints(cache / "pictures")

    def pictures(self, decoder: Decoder, looked_at: Sequence[Sample]) -> Pictures:
        """Those of the plan, and those that are only ``looked_at``."""
        return prepare_pictures(
            self.job,
            self.config,
            self.family,
            self.store,
            decoder,
            self.device,
            self.plan.samples,
            looked_at,
        )

    def prompts(
        self, trained: set[str], schedule: Schedule, validated: DatasetPlan | None
    ) -> Prompts:
        """From the cache where few captions come again and again; made on the spot where a text
        encoder is trained, or captions are nearly new for every use."""
        options = self.config.captions
        encode = partial(self.family.encode_prompts, options=options)
        if trained:
            return encode
        captions = caption_variants(self.plan, self.config, schedule.epochs)
        if captions is None:
            return torch.no_grad()(encode)
        if validated:
            always = validation_config(self.config)
            captions += [final_caption(Draw(sample, 0, 0), always) for sample in validated.samples]
        self.job.phase("cache conditioning", total=len(captions))
        encoded = EncodedPrompts(self.store, self.family, self.config.model, options, self.device)
        encoded.fill(captions, self.job.progress)
        tell_of_encoding(self.job, encoded.halved_to)
        return encoded.gather

    def make_room(self, trained: set[str]) -> None:
        """Let go the text encoders that are not ``trained``, and what other runs have left in the
        cache, where it takes more than it may."""
        self.family.release(*(name for name in _text_encoders(self.family) if name not in trained))
        files, freed = cache_room.trim(
            self.store.folder, cache_room.allowed_bytes(), used_before=self._begun
        )
        if files:
            self.job.log(f"the cache let go {files} entries, {places.size_text(freed)}")
