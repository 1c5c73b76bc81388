from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from lora_wizard.core.run.lock import AlreadyRunningError, RunLock, holder, is_live, is_ready

from .conftest import python, until

HOLD = """
import sys, time
from pathlib import Path
from lora_wizard.core.run.lock import RunLock
lock = RunLock.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
ASK = """
import sys
from pathlib import Path
from lora_wizard.core.run.lock import is_live
sys.exit(is_live(Path(sys.argv[1])))
"""
RACE = """
import os, sys
from pathlib import Path
from lora_wizard.core.run.lock import AlreadyRunningError, RunLock
children = []
ready, go = os.pipe(), os.pipe()
for _ in range(50):
    child = os.fork()
    if child == 0:
        os.close(go[1])
        os.write(ready[1], b".")
        os.read(go[0], 1)
        try:
            lock = RunLock.take(Path(sys.argv[1]))
        except AlreadyRunningError:
            os._exit(3)
        os.write(1, b"won\\n")
        sys.stdin.read()
        os._exit(0)
    children.append(child)
got = 0
while got < 50:
    got += len(os.read(ready[0], 50))
os.close(go[1])
# The winner waits for its standard input to end; the others end by themselves.
codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in children[1:]]
print("refused", codes.count(3), flush=True)
os.wait()
"""


def hold(path: Path) -> subprocess.Popen[bytes]:
    process = python(HOLD, path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_of_fifty_at_once_exactly_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = python(RACE, path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert sorted([process.stdout.readline(), process.stdout.readline()]) == [
        b"refused 49\n",
        b"won\n",
    ]
    assert is_live(path)
    process.communicate()
    assert not is_live(path)


def test_a_killed_holder_is_not_live_even_as_a_zombie(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_live(path)
    process = hold(path)
    assert holder(path) == process.pid
    with pytest.raises(AlreadyRunningError, match="going on"):
        RunLock.take(path)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{process.pid}").exists(), "a zombie still has its pid"
    assert not is_live(path)
    RunLock.take(path).release()
    process.communicate()


def test_children_do_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    script = HOLD.replace(
        'print("held", flush=True)', 'import os\nprint("held", flush=True)\nos.fork()'
    )
    process = python(script, path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(lambda: children.read_text().strip())
    child = int(children.read_text())
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{child}").exists()
    assert not is_live(path)
    os.kill(child, signal.SIGKILL)
    process.communicate()


def test_asking_in_the_holding_process_does_not_let_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = RunLock.take(path)
    assert is_live(path)
    with pytest.raises(AlreadyRunningError):
        RunLock.take(path)
    assert python(ASK, path).wait() == 1
    lock.release()
    assert python(ASK, path).wait() == 0


def test_live_comes_before_ready(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    script = HOLD.replace(
        "sys.stdin.read()",
        "sys.stdin.readline(); lock.announce(); print(1, flush=True); sys.stdin.read()",
    )
    process = python(script, path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    assert is_live(path) and not is_ready(path)
    process.stdin.write(b"\n")
    process.stdin.flush()
    process.stdout.readline()
    assert is_ready(path)
    process.communicate()
