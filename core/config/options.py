"""What an option is: one definition from which the TOML key, its check, `--help`, the form field
and the documentation are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeGuard, get_args, get_origin

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
    label: str = "",
    source: str = "",
    level: Level = "advanced",
    unit: str = "",
    also: str = "",
    path: bool = False,
    allowed: str = "",
    separator: str = "\n",
    absent: str = "",
    **limits: Any,
) -> Any:
    """Define one option.

    ``help`` says what it does and when to change it; ``label`` what to call it in a form, where the
    key's last word alone does not say it; ``source`` where the default or the advice
    comes from; ``level`` whether it is among the few that matter; ``also`` its name in sd-scripts;
    ``path`` that relative values count from the TOML's folder;
    ``allowed`` what may stand there, where type and limits do not say it well; ``separator`` what
    stands between the texts of a list when a person types them into one field; ``absent`` what
    leaving it out means, in a word or two; ``limits`` are pydantic's (``ge``, ``le``, ``gt``,
    ``lt``, ``min_length`` ...).
    """
    extra: dict[str, Any] = {
        "label": label,
        "source": source,
        "level": level,
        "unit": unit,
        "also": also,
        "path": path,
        "allowed": allowed,
        "separator": separator,
        "absent": absent,
    }
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
    """The dotted TOML key, such as ``training.epochs``; ``dataset.concepts[].folder`` is a key of
    each table in a list."""
    annotation: Any
    help: str
    source: str
    level: Level
    unit: str
    also: str
    default: Any
    required: bool
    field: FieldInfo
    path: bool = False
    """Whether it names a file or folder, relative to the TOML's folder."""
    separator: str = "\n"
    """Between the texts of a list that are typed into one field."""
    absent: str = ""
    """What leaving it out means, where that is not said by a default."""

    @property
    def label(self) -> str:
        """What to call it beside a field: at most 24 characters."""
        extra = self.field.json_schema_extra
        own = extra.get("label") if isinstance(extra, dict) else ""
        words = str(own) or self.key.rpartition(".")[2].replace("_", " ").capitalize()
        return f"{words} ({self.unit})" if self.unit else words

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

    @property
    def allowed(self) -> str:
        """What may stand there, for people: ``a whole number from 1 to 1024``."""
        extra = self.field.json_schema_extra
        own = extra.get("allowed") if isinstance(extra, dict) else ""
        return str(own) if own else _allowed(self.annotation, self.field.metadata)


def walk(model: type[BaseModel], prefix: str = "") -> Iterator[OptionInfo]:
    """All options of a configuration, in the order of their definition, sections flattened; the
    options of a list's tables come after the list."""
    for name, field in model.model_fields.items():
        dotted = f"{prefix}{name}"
        annotation = field.annotation
        if _is_section(annotation):
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
            default=None if field.is_required() else field.get_default(call_default_factory=True),
            required=field.is_required(),
            field=field,
            path=bool(extra.get("path", False)),
            separator=str(extra.get("separator", "\n")),
            absent=str(extra.get("absent", "")),
        )
        for argument in get_args(annotation):
            if _is_section(argument):
                yield from walk(argument, f"{dotted}[].")


def _is_section(annotation: Any) -> TypeGuard[type[Section]]:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _allowed(annotation: Any, limits: Sequence[Any] = ()) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        described = arguments[1:]
        nested = [m for d in described for m in (d.metadata if isinstance(d, FieldInfo) else [d])]
        return _allowed(arguments[0], [*nested, *limits])
    if origin is Literal:
        return _either([f'"{word}"' if isinstance(word, str) else str(word) for word in arguments])
    if origin is list:
        return _list_of(arguments[0], limits)
    if arguments:
        parts = [part for part in arguments if part is not type(None)]
        if set(parts) == {int, float}:
            parts = [float]
        words = [
            f'"{word}"' for part in parts if get_origin(part) is Literal for word in get_args(part)
        ]
        return _either([_allowed(p, limits) for p in parts if get_origin(p) is not Literal] + words)
    if annotation is bool:
        return "true or false"
    if annotation in (int, float):
        word = "a whole number" if annotation is int else "a number"
        return f"{word}{_range(limits)}"
    if annotation is str:
        return "text, not empty" if _limit(limits, "min_length") else "text"
    return "a table"


def _list_of(item: Any, limits: Sequence[Any]) -> str:
    names = {str: "texts", int: "whole numbers", float: "numbers"}
    low, high = _limit(limits, "min_length"), _limit(limits, "max_length")
    count = f"{low} " if low is not None and low == high else ""
    return f"a list of {count}{names.get(item, 'tables')}"


def _range(limits: Sequence[Any]) -> str:
    ge, gt, le, lt = (_limit(limits, name) for name in ("ge", "gt", "le", "lt"))
    if ge is not None and lt is not None:
        return f" from {_number(ge)} to below {_number(lt)}"
    if ge is not None and le is not None:
        return f" from {_number(ge)} to {_number(le)}"
    if ge is not None:
        return f", {_number(ge)} or more"
    above = f" above {_number(gt)}" if gt is not None else ""
    most = f" at most {_number(le)}" if le is not None else ""
    return f"{above} and{most}" if above and most else above + most


def _number(limit: float) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _limit(limits: Sequence[Any], name: str) -> Any:
    return next((getattr(m, name) for m in limits if getattr(m, name, None) is not None), None)


def _either(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} or {parts[-1]}"
