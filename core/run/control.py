"""What can be asked of a live job from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Literal

from ..errors import WizardError
from .directory import RunDirectory
from .lock import holder, wait_until_ready
from .status import summary

Request = Literal["stop", "save", "sample", "pause", "resume"]
_PATIENCE = 60.0


class NotLiveError(WizardError):
    """There is no job that could be asked."""


def request(directory: RunDirectory, what: Request) -> None:
    """Ask the live job to save and stop, save, sample, or pause, at the end of the step it is in;
    or to go on after a pause.

    An empty file is the whole request, so creating it is atomic. A pause lasts as long as its file
    is there: of several who ask, the last one counts. Raises NotLiveError when no job is there.
    """
    if not wait_until_ready(directory.lock_path, _PATIENCE):
        raise _not_live(directory)
    try:
        if what == "resume":
            (directory.control_path / "pause").unlink(missing_ok=True)
        else:
            (directory.control_path / what).touch()
    except OSError as error:
        raise WizardError(
            "The request could not be left",
            f"{directory.control_path / what}: {error.strerror or error}",
            "Are you the user who started the run? `lora-wizard stop --now` sends a signal.",
        ) from error


def is_paused(directory: RunDirectory) -> bool:
    """Whether the live job rests, or will at the end of its step."""
    return (directory.control_path / "pause").exists() and directory.is_live()


def terminate(directory: RunDirectory) -> None:
    """SIGTERM to the job and its helpers: before the first step it ends at once, later it saves
    and ends. Raises NotLiveError."""
    _signal(directory, signal.SIGTERM)


def kill(directory: RunDirectory) -> None:
    """SIGKILL to the job and its helpers: the work since the last saved state is lost. Raises
    NotLiveError."""
    _signal(directory, signal.SIGKILL)


def wait(directory: RunDirectory, seconds: float | None = None) -> bool:
    """Wait until no job is there; False when the time was over first."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while directory.is_live():
        if deadline is not None and time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _signal(directory: RunDirectory, number: signal.Signals) -> None:
    # The kernel says who holds the lock; a pid from a file might be a stranger's by now.
    pid = holder(directory.lock_path)
    if pid is None:
        raise _not_live(directory)
    if pid <= 0:
        raise WizardError(
            "The job belongs to another machine or container",
            f"{directory.path} is held from there.",
            "Run this command there, or use `lora-wizard stop` without --now.",
        )
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        raise _not_live(directory) from None
    except PermissionError as error:
        raise WizardError(
            "The job belongs to another user", f"process {pid}: {error.strerror}", ""
        ) from error


def _not_live(directory: RunDirectory) -> NotLiveError:
    status = summary(directory)
    state = status.state
    words = {
        "new": "It was never started.",
        "finished": "It has finished.",
        "stopped": "It was stopped.",
        "failed": "It has failed.",
        "killed": "It was killed.",
    }
    goes_on = state != "finished" and status.resume_helps
    remedy = f"Go on with it: {directory.again()}" if goes_on else ""
    return NotLiveError(
        "This run is not going on", f"{directory.path}: {words.get(state, '')}", remedy
    )


def killed_at_logout(root: Path = Path("/"), user: str = "") -> str:
    """A warning when this machine ends the processes of ``user`` (us) at logout, detached or not;
    empty when it does not, or when that cannot be known.

    systemd-logind's KillUserProcesses reaches everything in the login's scope, new sessions too.
    """
    try:
        cgroup = (root / "proc/self/cgroup").read_text()
    except OSError:
        return ""
    in_login = any("/session-" in line for line in cgroup.splitlines())
    if not in_login or not (root / "run/systemd/system").is_dir():
        return ""
    settings = _logind(root)
    spared = settings.get("killexcludeusers", "root").split()
    only = settings.get("killonlyusers", "").split()
    user = user or _user()
    kills = settings.get("killuserprocesses", "no").lower() in ("yes", "true", "1", "on")
    if not kills or user in spared or (only and user not in only):
        return ""
    return (
        "This machine ends all your processes when you log out (systemd's KillUserProcesses=yes), "
        "this run, too. To keep it: `loginctl enable-linger`, then start it with "
        "`systemd-run --user --scope lora-wizard ...`."
    )


def _logind(root: Path) -> dict[str, str]:
    settings: dict[str, str] = {}
    bases = ("usr/lib/systemd", "run/systemd", "etc/systemd")
    drop_ins: dict[str, Path] = {}
    for base in bases:
        drop_ins |= {path.name: path for path in (root / base / "logind.conf.d").glob("*.conf")}
    mains = [root / base / "logind.conf" for base in reversed(bases)]
    main = next((path for path in mains if path.is_file()), None)
    ordered = [drop_ins[name] for name in sorted(drop_ins)]
    for path in [main, *ordered] if main else ordered:
        with contextlib.suppress(OSError):
            for line in path.read_text("utf-8", "replace").splitlines():
                name, equals, value = line.partition("=")
                if equals and not name.lstrip().startswith(("#", ";")):
                    settings[name.strip().lower()] = value.strip()
    return settings


def _user() -> str:
    import pwd

    with contextlib.suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return str(os.getuid())
