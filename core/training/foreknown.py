"""What is known of a run's times before it has taken a step: how late it may stop for its limit."""

from __future__ import annotations

from ..config import RunConfig
from ..estimates.past_runs import PastRun, past_runs
from ..rehearsal import measured
from ..run.job import Job


def tell_deadline(job: Job, config: RunConfig, device: str) -> None:
    """Tell the job's deadline what the rehearsal of this run took, or else the saves of earlier
    runs like it on ``device``."""
    if job.deadline.limits.ends_at is None:
        return
    if rehearsed := measured.of(config):
        job.deadline.expect(step=rehearsed.per_step, save=rehearsed.per_save)
        return
    saves = [
        run.per_save
        for run in past_runs()
        if run.per_save is not None and run.device == device and _saves_alike(run, config)
    ]
    if saves:
        job.deadline.expect(save=max(saves))


def _saves_alike(run: PastRun, config: RunConfig) -> bool:
    """Whether what is saved is as large, in the same place."""
    then = run.config
    return (
        then is not None
        and then.model.family == config.model.family
        and then.model.base == config.model.base
        and then.network == config.network
        and then.optimizer.name == config.optimizer.name
        and then.training.ema_decay == config.training.ema_decay
        and then.output.folder == config.output.folder
    )
