"""Mangled TOMLs end in a configuration or in a message, never in a traceback."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from lora_wizard.core.config import RunConfig, configfile
from lora_wizard.core.config.options import walk
from lora_wizard.core.errors import ProblemsError, WizardError
from lora_wizard.core.templates import templates

VALUES = (
    *("nan", "-inf", "0", "-1", "1e999", "9" * 23, "0x7f", "1_000", "true", "=", "#", "]"),
    *("2026-11-21", "12:30:00", "1979-05-27T07:32:00Z", "[]", "[[]]", "{}", "[1,'a']", "{a=1}"),
    *(
        "{a={b=[{c=1}]}}",
        "''",
        "'''\n'''",
        '"\\u0000"',
        '"\\u202e"',
        '"\\ud800"',
        "'~no-such-user/x'",
    ),
    *("'~'", "'embedded:demo'", "'embedded:..'", "'../../x'", "'/'", "'-'", '"[/bold]"'),
)
BYTES = (
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r",
    b"\x1b[2J",
    b'"""',
    b"'''",
    b"\\",
)


def mangled(rng: random.Random, sources: list[bytes]) -> bytes:
    data = rng.choice(sources)
    for _ in range(rng.randint(1, 4)):
        data = rng.choice(MANGLERS)(rng, data)
    return data


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _bytes(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice((*BYTES, rng.randbytes(3))) + data[at + rng.randrange(4) :]


def _value(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    pairs = [index for index, line in enumerate(lines) if b"=" in line]
    if pairs:
        index = rng.choice(pairs)
        lines[index] = lines[index].partition(b"=")[0] + b"= " + rng.choice(VALUES).encode()
    return b"\n".join(lines)


def _lines(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    return b"\n".join(line for line in lines if rng.random() > 0.05)


def _key(rng: random.Random, data: bytes) -> bytes:
    key = rng.choice([info.key for info in walk(RunConfig)]).replace("[]", "")
    name = key if rng.random() < 0.5 else key.rpartition(".")[2]
    line = f"{name} = {rng.choice(VALUES)}\n".encode()
    return line + data if rng.random() < 0.5 else data + b"\n" + line


def _nest(rng: random.Random, data: bytes) -> bytes:
    depth = rng.choice((10, 900, 5_000))
    opening, closing = rng.choice(((b"[", b"]"), (b"{a=", b"}"), (b"a.", b"")))
    return data + b"\nx = " + opening * depth + b"1" + closing * depth


MANGLERS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _cut, _bytes, _value, _value, _lines, _key, _key, _nest,
)  # fmt: skip


def check(path: Path, seed: int) -> bool:
    """Whether the TOML of ``seed`` was accepted."""
    path.write_bytes(mangled(random.Random(seed), [each.path.read_bytes() for each in templates()]))
    try:
        config = configfile.load(path)
    except ProblemsError as error:
        assert error.problems
        assert all(problem.message for problem in error.problems)
        return False
    except WizardError as error:
        assert error.remedy
        return False
    assert configfile.loads(configfile.dumps(config), Path("/")) == config
    return True


def run(folder: Path, seeds: range) -> None:
    accepted = sum(check(folder / "run.toml", seed) for seed in seeds)
    # Neither everything nor nothing: the manglers still reach past the parser.
    assert 0 < accepted < len(seeds) / 2


def test_200_mangled_tomls(tmp_path: Path) -> None:
    run(tmp_path, range(200))


@pytest.mark.slow
def test_2000_mangled_tomls(tmp_path: Path) -> None:
    run(tmp_path, range(1_000, 3_000))


def test_mangled_overrides() -> None:
    rng = random.Random(7)
    keys = [info.key for info in walk(RunConfig)]
    text = '[model]\nbase = "x"\n[dataset]\nfolder = "y"\n'
    for _ in range(300):
        override = rng.choice(keys) + rng.choice(["=", "", ".x=", " = "]) + rng.choice(VALUES)
        try:
            configfile.loads(text, Path("/"), [override])
        except WizardError as error:
            assert str(error)
