"""What an option is: one definition from which the TOML key, its check, `--help`, the form field
and the documentation are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

Level = Literal["basic", "advanced"]


class Section(BaseModel):
    """A table of the TOML. Unknown keys are refused: a typo that trains with a default is the
    costliest kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def option(
    default: Any = ...,
    *,
    help: str,
    source: str = "",
    level: Level = "advanced",
    unit: str = "",
    also: str = "",
    **limits: Any,
) -> Any:
    """Define one option.

    ``help`` says what it does and when to change it; ``source`` where the default or the advice
    comes from; ``level`` whether it is among the few that matter; ``also`` its name in sd-scripts;
    ``limits`` are pydantic's (``ge``, ``le``, ``gt``, ``lt``, ``min_length`` ...).
    """
    extra: dict[str, Any] = {"source": source, "level": level, "unit": unit, "also": also}
    if isinstance(default, (list, dict)):
        made = default
        return Field(
            default_factory=lambda: type(made)(made),
            description=help,
            json_schema_extra=extra,
            **limits,
        )
    return Field(default, description=help, json_schema_extra=extra, **limits)


@dataclass(frozen=True)
class OptionInfo:
    """One option as a reader sees it: everything a form, a help text or a document needs."""

    key: str
    """The dotted TOML key, such as ``training.epochs``."""
    annotation: Any
    help: str
    source: str
    level: Level
    unit: str
    also: str
    default: Any
    required: bool
    field: FieldInfo

    @property
    def section(self) -> str:
        return self.key.rpartition(".")[0]

    @property
    def choices(self) -> tuple[Any, ...]:
        """The allowed words of a ``Literal`` option, also inside a union; empty otherwise."""
        found: list[Any] = []
        pending = [self.annotation]
        while pending:
            annotation = pending.pop(0)
            if get_origin(annotation) is Literal:
                found.extend(get_args(annotation))
            else:
                pending.extend(get_args(annotation))
        return tuple(found)


def walk(model: type[BaseModel], prefix: str = "") -> Iterator[OptionInfo]:
    """All options of a configuration, in the order of their definition, sections flattened."""
    for name, field in model.model_fields.items():
        dotted = f"{prefix}{name}"
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            yield from walk(annotation, f"{dotted}.")
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        yield OptionInfo(
            key=dotted,
            annotation=annotation,
            help=field.description or "",
            source=str(extra.get("source", "")),
            level="basic" if extra.get("level") == "basic" else "advanced",
            unit=str(extra.get("unit", "")),
            also=str(extra.get("also", "")),
            default=field.get_default(call_default_factory=True),
            required=field.is_required(),
            field=field,
        )
