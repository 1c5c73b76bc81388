"""Reads and writes the TOML of a run.

Everything that is wrong with a TOML is said at once, with its line: nobody mends a file one run at
a time. What `load` returns has absolute paths and the optimizer's usual values where the file is
silent, and has passed every check that needs nothing but the configuration itself;
`core.preflight` has those that look at the disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .. import files
from ..errors import Problem, ProblemsError, WizardError
from ..optimizers import settings
from ..secret import holds_secret, redacted
from . import config_problems, rules, toml_source
from .config_problems import options
from .overrides import parse_override, put
from .paths import EMBEDDED, resolve_base_model, resolve_path
from .run_config import RunConfig

_HEADER = "# The configuration of a run, with every value and absolute paths.\n\n"
_SECRET = "something here looks like an access token"
_SECRET_REMEDY = (
    "Tokens come from the environment (HF_TOKEN) or `hf auth login`, never from a file."
)


def load(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """The configuration in ``path``, changed by ``overrides`` (``section.key=value``).

    Relative paths in the file count from the file's folder, those in ``overrides`` from the
    working folder, as on any command line.

    Raises WizardError when the file cannot be read, and ProblemsError with everything that is
    wrong in it.
    """
    text = toml_source.read(path)
    return loads(text, path.absolute().parent, overrides, name=path.name)


def loads(
    text: str, folder: Path, overrides: Sequence[str] = (), *, name: str = "The configuration"
) -> RunConfig:
    """As `load`, from ``text`` whose relative paths count from ``folder``."""
    if secrets := _secrets(text, overrides):
        raise _unusable(name, secrets)
    try:
        draft = _Draft(toml_source.parse(text), toml_source.line_index(text), folder)
    except ProblemsError as error:
        raise _unusable(name, error.problems) from error
    draft.set(overrides)
    if holds_secret(str(draft.data)):
        raise _unusable(name, [Problem(_SECRET, remedy=_SECRET_REMEDY)])
    config = draft.validated()
    if draft.problems or config is None:
        raise _unusable(name, draft.problems)
    return config


@dataclass(frozen=True)
class Lenient:
    """A configuration that need not be whole yet."""

    config: RunConfig | None
    """Defaults stand in for what is wrong or missing; None when not even that makes one."""
    problems: list[Problem]
    broken: frozenset[str]
    """The keys for which something stands in."""


def lenient(text: str, folder: Path, *, also: Sequence[Problem] = ()) -> Lenient:
    """As `loads`, for a configuration that is still being written: never raises ProblemsError.

    ``also`` are problems that are known already; their keys count as broken.
    """
    if secrets := _secrets(text, ()):
        return Lenient(None, secrets, frozenset())
    try:
        draft = _Draft(toml_source.parse(text), {}, folder)
    except ProblemsError as error:
        return Lenient(None, error.problems, frozenset())
    draft.broken.update(problem.where for problem in also)
    config = draft.validated()
    return Lenient(config, [*also, *draft.problems], frozenset(draft.broken))


def dumps(config: RunConfig) -> str:
    """``config`` as TOML, every value written out, so that a later version with other defaults
    reads the same run. `loads` of it gives an equal configuration, with the optimizer's usual
    values where ``config`` has none."""
    import tomli_w

    return _HEADER + tomli_w.dumps(_settled(config).model_dump(exclude_none=True))


def write(config: RunConfig, path: Path) -> None:
    """`dumps` into ``path`` by the write protocol. Raises files.WriteError."""
    files.write_text(path, dumps(config))


@dataclass
class _Draft:
    """A TOML on its way to a RunConfig, and what is wrong with it."""

    data: dict[str, Any]
    lines: dict[toml_source.KeyPath, int]
    folder: Path
    problems: list[Problem] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Keys that are known to be wrong; no check that reads them is worth anything."""
    from_command_line: set[str] = field(default_factory=set)

    def set(self, overrides: Sequence[str]) -> None:
        for text in overrides:
            try:
                key, value = parse_override(text)
            except ProblemsError as error:
                self.problems.extend(error.problems)
                continue
            self.from_command_line.add(key)
            put(self.data, key, value)
            path = tuple(key.split("."))
            for known in [known for known in self.lines if known[: len(path)] == path]:
                del self.lines[known]
            self.lines[path] = 0

    def validated(self) -> RunConfig | None:
        """The configuration as far as it can be made; ``problems`` say whether it is whole."""
        config = self._typed()
        if config is None:
            return None
        config = self._with_absolute_paths(config)
        config = _settled(config)
        for finding in rules.findings(config):
            if finding.problem.severity == "error" and not self._is_broken(finding.keys):
                self._add(finding.problem, finding.keys)
        return config

    def _typed(self) -> RunConfig | None:
        try:
            return RunConfig.model_validate(self.data)
        except ValidationError as error:
            mistakes = config_problems.explain(error, self.data)
        for mistake in mistakes:
            self._add(mistake.problem, [mistake.problem.where], mistake.path)
            self.broken.update(mistake.keys)
        # The rest is checked too: with what is wrong left out, defaults stand in.
        repaired = config_problems.without(self.data, [mistake.path for mistake in mistakes])
        try:
            return RunConfig.model_validate(repaired)
        except ValidationError:
            return None

    def _with_absolute_paths(self, config: RunConfig) -> RunConfig:
        dataset = config.dataset
        concepts = [
            concept.model_copy(
                update={
                    "folder": self._resolved(f"dataset.concepts[{index}].folder", concept.folder)
                }
            )
            for index, concept in enumerate(dataset.concepts)
        ]
        changes: dict[str, dict[str, Any]] = {"dataset": {"concepts": concepts}}
        for info in options().values():
            if info.path and "[]" not in info.key:
                section, _, name = info.key.partition(".")
                values = getattr(config, section)
                # What the file does not say stays unsaid: a run's identity is what its TOML says.
                if value := getattr(values, name):
                    changes.setdefault(section, {})[name] = self._resolved(info.key, value)
        return config.model_copy(
            update={
                section: getattr(config, section).model_copy(update=values)
                for section, values in changes.items()
            }
        )

    def _resolved(self, key: str, value: str) -> str:
        if not value or self._is_broken([key]):
            return value
        given = any(key.startswith(set_key) for set_key in self.from_command_line)
        folder = Path.cwd() if given else self.folder
        resolve = resolve_base_model if key in ("model.base", "model.vae") else resolve_path
        try:
            if key in ("output.folder", "output.publish_to") and value.startswith(EMBEDDED):
                raise WizardError("nothing can be written there", "", "Name a folder of yours.")
            return resolve(value, folder)
        except WizardError as error:
            self._add(Problem(error.title, where=key, remedy=error.remedy), [key])
            self.broken.add(key)
            return value

    def _is_broken(self, keys: Sequence[str]) -> bool:
        return any(
            key == broken or key.startswith((f"{broken}.", f"{broken}["))
            for key in keys
            for broken in self.broken
        )

    def _add(
        self, problem: Problem, keys: Sequence[str], path: toml_source.KeyPath | None = None
    ) -> None:
        paths = [path] if path is not None else [config_problems.key_path(key) for key in keys]
        found = [line for each in paths if (line := toml_source.line_of(self.lines, each))]
        self.problems.append(replace(problem, line=found[0] if found else None))


def _settled(config: RunConfig) -> RunConfig:
    return config.model_copy(update={"optimizer": settings.settled(config.optimizer)})


def _secrets(text: str, overrides: Sequence[str]) -> list[Problem]:
    lines = text.split("\n")
    found = [
        Problem(_SECRET, line=number, remedy=_SECRET_REMEDY)
        for number, line in enumerate(lines, 1)
        if holds_secret(line)
    ]
    found += [
        Problem(_SECRET, where=redacted(value.partition("=")[0]), remedy=_SECRET_REMEDY)
        for value in overrides
        if holds_secret(value)
    ]
    return found


def _unusable(name: str, problems: Sequence[Problem]) -> ProblemsError:
    by_line = sorted(problems, key=lambda problem: problem.line or 0)
    return ProblemsError(f"{name} cannot be used", by_line)


def with_lines(
    problems: Sequence[Problem], path: Path, overrides: Sequence[str] = ()
) -> list[Problem]:
    """``problems`` of the configuration in ``path``, each with the line of the key it is about,
    unless its value came from ``overrides``."""
    lines = toml_source.line_index(toml_source.read(path))
    for override in overrides:
        lines.pop(config_problems.key_path(override.partition("=")[0].strip()), None)
    return [
        replace(problem, line=lines.get(config_problems.key_path(problem.where), problem.line))
        for problem in problems
    ]


def is_path(key: str) -> bool:
    """Whether the option ``key`` names a file or folder."""
    info = config_problems.options().get(key)
    return info is not None and info.path


def flat(config: RunConfig) -> Mapping[str, Any]:
    """Every value by its dotted key, as `core.options.walk` names them."""
    return {
        f"{section}.{name}": getattr(getattr(config, section), name)
        for section in RunConfig.model_fields
        for name in type(getattr(config, section)).model_fields
    }
