"""The loop."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

import torch

from ..config import RunConfig
from ..dataset.order import windows
from ..dataset.plan import DatasetPlan, Window
from ..networks.base import Network, NormFigures
from ..optimizers.base import OptimizerSpec
from ..run.job import Job
from ..schedule import SavePoint, Schedule
from .batches import Batches
from .draws import seed_global_generators
from .ema import MovingAverage
from .outputs import Outputs, asked_for
from .patience import persistently
from .portions import Portions, is_out_of_memory
from .previews import Previews
from .rates import RateSchedule, shown
from .setbacks import Setbacks
from .states import States
from .validation import Validation


@dataclass
class Trainer:
    """One run from wherever it stands to its end. ``step`` counts optimizer steps of the whole run,
    over all resumes."""

    job: Job
    config: RunConfig
    plan: DatasetPlan
    schedule: Schedule
    rates: RateSchedule
    network: Network
    optimizer: torch.optim.Optimizer
    optimizer_spec: OptimizerSpec
    scaler: torch.amp.GradScaler | None
    batches: Batches
    states: States
    outputs: Outputs
    previews: Previews
    portions: Portions
    setbacks: Setbacks
    validation: Validation | None = None
    average: MovingAverage | None = None
    step: int = 0
    samples_seen: int = 0
    norms: NormFigures | None = None
    """Of the network's layers after the last step, where they are limited; of a step that was left
    out none, so that a resume behind it tells the same."""
    _saved_file: int = -1

    def train(self) -> None:
        """Train to the end. Raises Stopped after a stop, with everything saved."""
        self.catch_up()
        self.job.phase("train", total=self.schedule.total_steps)
        # From here on a stop finishes its step and saves.
        self.job.may_end_now = False
        for epoch, window in self.windows_left():
            loss, gradient_norm = self.learn_from(window)
            self.step += 1
            self.samples_seen += _samples_in(window)
            self.tell(epoch, loss, gradient_norm)
            # Where a file is due the state comes behind it: a resume writes no file of before.
            if self.job.deadline.save_is_unknown and self.step not in self._save_points:
                self.save_state()
            # Before the save: a kill in between goes back to before both.
            self.validate()
            self.save_and_show(epoch)
        self.validate(is_last=True)

    def windows_left(self) -> Iterator[tuple[int, Window]]:
        """(epoch, window) of every step that is still to be done."""
        done = self.step
        while done < self.schedule.total_steps:
            epoch, place = self.schedule.position(done + 1)
            of_epoch = windows(self.plan, self.config, epoch)
            left = of_epoch[place : place + self.schedule.total_steps - done]
            for window, following in zip_longest(left, left[1:], fillvalue=()):
                self.batches.expect(following)
                yield epoch, window
                done += 1

    def learn_from(self, window: Window) -> tuple[float, float]:
        """One optimizer step; returns the loss and the gradient's norm before clipping.

        A step whose figures are not finite is left out; raises NotFiniteError after too many.
        """
        rates = self.rates.at(self.step)
        for group, rate in zip(self.optimizer.param_groups, rates.values(), strict=True):
            group["lr"] = rate
        loss = self.accumulate(window)
        if self.scaler:
            self.scaler.unscale_(self.optimizer)
        limit = self.config.training.max_grad_norm or math.inf
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, limit)
        # The one place where the loop waits for the GPU.
        figures = torch.stack([loss, norm.to(loss)]).tolist()
        self.norms = None
        if self.apply_gradients(figures, window):
            if most := self.config.network.max_norm:
                self.norms = self.network.limit_norms(most)
            if self.average:
                self.average.update(self.step + 1)
        return figures[0], figures[1]

    def accumulate(self, window: Window) -> torch.Tensor:
        """Gradients of the mean loss over the window's samples; returns that loss.

        When the GPU's memory is too small, in smaller portions. Raises GpuFullError when there are
        none.
        """
        while True:
            try:
                return self.accumulate_at_once(self.portions.of(window))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                full = error.with_traceback(None)
            # Only here: until the error is forgotten, it holds on to what did not fit.
            self.optimizer.zero_grad(set_to_none=True)
            self.portions.halve(window, full)

    def accumulate_at_once(self, window: Window) -> torch.Tensor:
        """As `accumulate`, with the window's micro-batches as they are. Raises what the GPU says
        when its memory is too small (`is_out_of_memory`)."""
        samples = _samples_in(window)
        shares: list[torch.Tensor] = []
        for index, micro_batch in enumerate(window):
            seed = self.config.training.seed
            seed_global_generators(seed, self.step + 1, index)
            keys = [draw.key(seed, "network") for draw in micro_batch]
            with self.network.learning(self.step + 1, keys):
                share = self.batches.loss(micro_batch, samples)
                (self.scaler.scale(share) if self.scaler else share).backward()
            shares.append(share.detach())
        return torch.stack(shares).sum()

    def apply_gradients(self, figures: list[float], window: Window) -> bool:
        """Step the optimizer, unless a figure is not finite; returns whether it did."""
        are_finite = all(map(math.isfinite, figures))
        if are_finite:
            if self.scaler:
                self.scaler.step(self.optimizer)
            else:
                self.optimizer.step()
            self.setbacks.passed()
        elif not self._only_overflowed(figures[0]):
            self.setbacks.met(self.step + 1, figures[0], figures[1], window)
        if self.scaler:
            self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return are_finite

    def tell(self, epoch: int, loss: float, gradient_norm: float) -> None:
        """Say what the step did."""
        memory = {"memory": torch.cuda.max_memory_allocated()} if torch.cuda.is_available() else {}
        norms = self.norms
        lengths = {"scaled_layers": norms.scaled, "mean_norm": norms.mean} if norms else {}
        self.job.emit(
            "step",
            step=self.step,
            total=self.schedule.total_steps,
            epoch=epoch,
            epochs=self.schedule.epochs,
            loss=loss,
            learning_rates=self._shown_rates,
            gradient_norm=gradient_norm,
            **lengths,
            **memory,
        )
        self.job.progress(self.step)

    def catch_up(self) -> None:
        """Take up the newest state, and do what a kill after it was saved left undone."""
        self.step, self.samples_seen, counters = self.states.take_up()
        self.portions.largest = counters.get("largest_portion")
        self.setbacks.in_a_row = counters.get("setbacks_in_a_row", 0)
        self.setbacks.in_all = counters.get("setbacks", 0)
        self.outputs.prune(self.step)
        if self.validation:
            self.validation.looked_at = counters.get("validated", self.step or None)
        self.validate()
        if self.step in self._sample_steps:
            self.draw(self.epoch)
            if self.step < self.schedule.total_steps:
                self.job.check_stop()

    def validate(self, *, is_last: bool = False) -> None:
        """Take the validation loss where it is due and was not taken."""
        look = self.validation
        if look and self.step in self._validation_steps and look.looked_at != self.step:
            with self.as_saved():
                look.measure(self.step, is_last=is_last)
            self.job.phase("train", total=self.schedule.total_steps)

    def save_and_show(self, epoch: int) -> None:
        """What is due at this step or was asked for, and a pause. Raises Stopped after a stop."""
        asked = self.job.take_requests()
        saves = self.step in self._save_points or "save" in asked
        shows = self.step in self._sample_steps or "sample" in asked
        self.obey(epoch, saves=saves, shows=shows)
        pauses = self.job.pause_requested and self.step < self.schedule.total_steps
        if pauses:
            self.rest(epoch)
        if saves or shows or pauses:
            self.job.phase("train", total=self.schedule.total_steps)

    def rest(self, epoch: int) -> None:
        """Save the state and wait for the pause to end, with ears open. Raises Stopped."""
        self.save_state()
        for asked in self.job.paused(self.step):
            self.obey(epoch, saves="save" in asked, shows="sample" in asked)
        self.obey(epoch, saves=False, shows=False)

    def obey(self, epoch: int, *, saves: bool, shows: bool) -> None:
        """The file, the state, and only then samples; or a stop. Raises Stopped."""
        stop = self.job.stop_requested and self.step < self.schedule.total_steps
        if saves or stop:
            self.save(epoch)
        if shows and not stop:
            self.save_state()
            self.draw(epoch)
        if self.job.stop_requested and self.step < self.schedule.total_steps:
            self.save(epoch)
            self.job.check_stop()

    def draw(self, epoch: int) -> None:
        """The samples of this step, as far as they are not there."""
        is_last = self.step == self.schedule.total_steps
        with self.as_saved():
            persistently(self.job, lambda: self.previews.draw(self.step, epoch, is_last=is_last))

    def save(self, epoch: int) -> None:
        """The file before the state: a kill between them leads back to the state before, whose
        steps write the same file again."""
        if self._saved_file != self.step:
            self.job.phase("save")
            point = self._save_points.get(self.step, asked_for(self.step))
            with self.as_saved():
                persistently(self.job, lambda: self.outputs.write(point, epoch))
            self._saved_file = self.step
        self.save_state()
        self.outputs.prune(self.step)

    def as_saved(self) -> AbstractContextManager[None]:
        """With the weights in the network that are saved and drawn: their average, if asked for,
        or what the optimizer takes for finished."""
        if self.average:
            return self.average.applied()
        finished = self.optimizer_spec.finished_weights
        return finished(self.optimizer) if finished else nullcontext()

    def save_state(self) -> None:
        counters = {
            "largest_portion": self.portions.largest,
            "setbacks_in_a_row": self.setbacks.in_a_row,
            "setbacks": self.setbacks.in_all,
            "validated": self.validation.looked_at if self.validation else None,
        }
        persistently(self.job, lambda: self.states.save(self.step, self.samples_seen, counters))

    @property
    def epoch(self) -> int:
        """The epoch of the last step done; 0 before the first."""
        return self.schedule.position(self.step)[0] if self.step else 0

    @cached_property
    def _save_points(self) -> dict[int, SavePoint]:
        return {point.step: point for point in self.schedule.save_steps()}

    @cached_property
    def _validation_steps(self) -> frozenset[int]:
        return frozenset(self.schedule.validation_steps())

    @cached_property
    def _sample_steps(self) -> frozenset[int]:
        return frozenset(self.schedule.sample_steps())

    @cached_property
    def _parameters(self) -> list[torch.nn.Parameter]:
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]

    @property
    def _shown_rates(self) -> dict[str, float]:
        given = self.config.optimizer.learning_rate is not None
        step_size = self.optimizer_spec.step_size
        effective = step_size(self.optimizer) if step_size else None
        return shown(self.rates.at(self.step - 1) if given else {}, effective)

    def _only_overflowed(self, loss: float) -> bool:
        """Whether fp16's gradients were scaled too far, which the scaler mends by itself: it halves
        the scale and the next step is as good as any."""
        return bool(self.scaler) and math.isfinite(loss) and self.scaler.get_scale() > 1


def _samples_in(window: Window) -> int:
    return sum(len(micro_batch) for micro_batch in window)
