"""Commands to paste on the person's own machine: pictures up, files down.

They are built from what SSH and the providers of rented machines say in the environment, and run
with the `scp` of macOS, Linux and Windows.
"""

from __future__ import annotations

import getpass
import ipaddress
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST, PORT, PICTURES = "YOUR-HOST", "YOUR-PORT", "YOUR-PICTURES"
"""What the person has to put in where it cannot be known from here."""

_PROVIDERS = (("RUNPOD_PUBLIC_IP", "RUNPOD_TCP_PORT_22"), ("PUBLIC_IPADDR", "VAST_TCP_PORT_22"))
"""Address and port under which a rented container is seen from outside."""
_PLAIN = re.compile(r"[\w@%+=:,./-]*")
"""What no shell of a remote machine takes for anything but itself."""


@dataclass(frozen=True)
class Address:
    """Where this machine is reached from outside. ``port`` is text, for it can be `PORT`."""

    user: str
    host: str
    port: str
    inside: str = ""
    """The machine's address in its own network, when nothing else is known."""

    @property
    def is_known(self) -> bool:
        return self.host != HOST

    @property
    def caveat(self) -> str:
        """What has to be said beside a command; empty when it can be pasted as it is."""
        if self.is_known:
            return ""
        return (
            f"This machine knows only its address inside its own network ({self.inside}). Put the "
            f"host and port that you gave to ssh in place of {HOST} and {PORT}; without a port, "
            f"leave out -P {PORT}."
        )


def address(environ: Mapping[str, str] = os.environ) -> Address | None:
    """The address to come back to; None when nobody came by SSH."""
    for host_name, port_name in _PROVIDERS:
        host, port = environ.get(host_name, ""), environ.get(port_name, "")
        if _is_public(host) and port.isdecimal():
            return Address(_user(environ), host, port)
    words = environ.get("SSH_CONNECTION", "").split()
    if len(words) != 4 or not words[3].isdecimal():
        return None
    host, port = words[2].removeprefix("::ffff:"), words[3]
    if _is_public(host):
        return Address(_user(environ), host, port)
    # Behind network address translation the port outside is another, too.
    return Address(_user(environ), HOST, PORT, inside=host)


def upload_command(folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The command that puts a folder of the person's own machine, called `PICTURES`, into
    ``folder`` here, which has to be there; empty without SSH."""
    there = address(environ)
    if there is None or not str(folder).isprintable():
        return ""
    target = f"{folder.absolute()}/".replace("//", "/")
    if _PLAIN.fullmatch(target):
        return f"scp -r {_port(there, '-P')}{PICTURES} {_quoted(_place(there, target))}"
    # For the place that it writes to, an old scp needs quotes that a new one takes for a part of
    # the name.
    unpack = _quoted(f"cd {shlex.quote(target)} && tar -xf -")
    login = _quoted(f"{there.user}@{there.host}")
    return f"tar -cf - {PICTURES} | ssh {_port(there, '-p')}{login} {unpack}"


def download_command(paths: Sequence[Path], environ: Mapping[str, str] = os.environ) -> str:
    """The command that fetches files and folders into the folder where it is pasted; empty without
    SSH or without ``paths``."""
    there = address(environ)
    if there is None or not paths:
        return ""
    recursive = "-r " if any(path.is_dir() for path in paths) else ""
    sources = [_quoted(_place(there, _pattern(str(path.absolute())))) for path in paths]
    return f"scp {recursive}{_port(there, '-P')}{' '.join(sources)} ."


def _user(environ: Mapping[str, str]) -> str:
    try:
        return environ.get("USER") or environ.get("LOGNAME") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return "root"


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _port(there: Address, option: str) -> str:
    return "" if there.port == "22" else f"{option} {there.port} "


def _place(there: Address, path: str) -> str:
    host = f"[{there.host}]" if ":" in there.host else there.host
    return f"{there.user}@{host}:{path}"


def _pattern(path: str) -> str:
    """``path`` as a pattern that matches it: an old scp has it read by the remote shell, a new one
    by the file transfer's own globbing, and both understand a backslash."""
    return "".join(_pattern_character(char) for char in path)


def _pattern_character(char: str) -> str:
    if char.isalnum() or char in "@%+=:,./_-":
        return char
    # What cannot be shown cannot be pasted; `?` stands for any character.
    return f"\\{char}" if char.isprintable() else "?"


def _quoted(argument: str) -> str:
    """Quoted for the shell where the command is pasted. Double quotes where they are enough, as
    Windows knows no others."""
    if _PLAIN.fullmatch(argument):
        return argument
    if not any(sign in argument for sign in ('"', "$", "`", "!", "\\\\")):
        return f'"{argument}"'
    return shlex.quote(argument)
