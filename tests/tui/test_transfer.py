"""The commands that a person pastes on another machine, run here as a shell would run them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from lora_wizard.tui.walk.transfer import (
    HOST,
    PICTURES,
    PORT,
    address,
    download_command,
    upload_command,
)

DIRECT = {"SSH_CONNECTION": "81.2.69.160 50022 34.10.20.30 22", "USER": "mika"}
NAMES = ["plain", "with blanks", "it's", 'a "word"', "$HOME `id` !!", "fürchte 漢字", "a[1]*?\\b"]
FAKE_SSH = """#!/bin/sh
# The remote machine is this one: the last argument is the command that ssh would send there.
for last; do :; done
exec sh -c "$last"
"""


@pytest.fixture
def own_machine(tmp_path: Path) -> dict[str, str]:
    """An environment in which `ssh` stays here, and `scp` goes through it by the old protocol,
    where the remote shell reads the names."""
    scp = shutil.which("scp")
    if scp is None:
        pytest.skip("there is no scp here")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, script in {
        "ssh": FAKE_SSH,
        "scp": f'#!/bin/sh\nexec {scp} -O -S {tools}/ssh "$@"\n',
    }.items():
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    return {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}


def paste(command: str, folder: Path, environment: dict[str, str]) -> None:
    subprocess.run(["sh", "-c", command], cwd=folder, env=environment, check=True, timeout=30)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_fetched_arrives(tmp_path: Path, own_machine: dict[str, str], name: str) -> None:
    folder, here = tmp_path / name, tmp_path / "here"
    folder.mkdir()
    here.mkdir()
    (folder / f"{name}.safetensors").write_text("weights")
    paste(download_command([folder / f"{name}.safetensors"], DIRECT), here, own_machine)
    assert [path.name for path in here.iterdir()] == [f"{name}.safetensors"]


@pytest.mark.parametrize("name", ["line\nbreak", "\u202eevil\x1b[2J"])
def test_a_name_commands_no_terminal(name: str) -> None:
    assert download_command([Path("/x", name)], DIRECT).isprintable()
    assert upload_command(Path("/x", name), DIRECT) == ""


def test_several_are_fetched_at_once(tmp_path: Path, own_machine: dict[str, str]) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "one.safetensors").write_text("1")
    (tmp_path / "samples of two").mkdir()
    (tmp_path / "samples of two" / "a.png").write_text("2")
    command = download_command([tmp_path / "one.safetensors", tmp_path / "samples of two"], DIRECT)
    paste(command, here, own_machine)
    found = {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()}
    assert found == {"one.safetensors", "samples of two/a.png"}


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_goes_where_it_should(
    tmp_path: Path, own_machine: dict[str, str], name: str
) -> None:
    folder, here = tmp_path / name, tmp_path / "here"
    folder.mkdir()
    (here / PICTURES).mkdir(parents=True)
    (here / PICTURES / "a cat.png").write_text("cat")
    paste(upload_command(folder, DIRECT), here, own_machine)
    assert (folder / PICTURES / "a cat.png").read_text() == "cat"


def test_an_everyday_command_is_short_and_fit_for_windows() -> None:
    assert upload_command(Path("/home/mika"), DIRECT) == (
        "scp -r YOUR-PICTURES mika@34.10.20.30:/home/mika/"
    )
    fetched = download_command([Path("/home/mika/my loras/a.safetensors")], DIRECT)
    assert fetched == 'scp "mika@34.10.20.30:/home/mika/my\\ loras/a.safetensors" .'


@pytest.mark.parametrize(
    ("environment", "host", "port"),
    [
        (DIRECT, "34.10.20.30", "22"),
        ({"SSH_CONNECTION": "2001:db8::1 5 2a00:1450:4001:80f::200e 2200"}, "2a00:1450", "2200"),
        ({"SSH_CONNECTION": "81.2.69.160 50022 ::ffff:34.10.20.30 22"}, "34.10.20.30", "22"),
        (
            {
                "SSH_CONNECTION": "100.64.0.1 4 172.18.0.2 22",
                "RUNPOD_PUBLIC_IP": "69.30.85.1",
                "RUNPOD_TCP_PORT_22": "22145",
            },
            "69.30.85.1",
            "22145",
        ),
        (
            {
                "SSH_CONNECTION": "172.17.0.1 4 172.17.0.2 22",
                "PUBLIC_IPADDR": "65.130.162.74",
                "VAST_TCP_PORT_22": "33526",
            },
            "65.130.162.74",
            "33526",
        ),
    ],
)
def test_the_address_is_the_one_outside(environment: dict[str, str], host: str, port: str) -> None:
    found = address(environment)
    assert found
    assert found.host.startswith(host)
    assert found.port == port
    assert found.caveat == ""
    assert (f"-P {port} " in download_command([Path("/x")], environment)) == (port != "22")


@pytest.mark.parametrize(
    "inside", ["10.0.0.5", "172.17.0.2", "192.168.1.9", "fe80::1", "100.64.3.2"]
)
def test_an_address_behind_translation_is_no_address(inside: str) -> None:
    environment = {
        "SSH_CONNECTION": f"81.2.69.160 50022 {inside} 22",
        # The proxy of a provider, which copies no files: an address without a port.
        "RUNPOD_PUBLIC_IP": "69.30.85.1",
    }
    found = address(environment)
    assert found
    assert inside in found.caveat
    assert HOST in found.caveat
    command = download_command([Path("/x/a.safetensors")], environment)
    assert inside not in command
    assert f"-P {PORT} " in command
    assert f"@{HOST}:" in command


@pytest.mark.parametrize(
    "environment", [{}, {"SSH_CONNECTION": ""}, {"SSH_CONNECTION": "x"}, {"USER": "mika"}]
)
def test_without_ssh_the_path_is_enough(environment: dict[str, str]) -> None:
    assert address(environment) is None
    assert upload_command(Path("/x"), environment) == ""
    assert download_command([Path("/x")], environment) == ""
