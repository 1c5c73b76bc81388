"""The command line. A command's module is imported when it is called, so that `--help` and a slip
of the finger answer at once."""

from __future__ import annotations

import argparse
import importlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ..core.errors import EXIT_USER_ERROR, ProblemsError, WizardError

GROUPS: dict[str, dict[str, str]] = {
    "walk through it": {
        "open": "the wizard, at a TOML or at pictures; `lora-wizard` alone opens it, too",
        "attach": "watch a run again, on the whole screen",
    },
    "see it work": {
        "demo": "train a small LoRA on the model that comes along, and see what it learned",
    },
    "prepare": {
        "look": "find copies, blur and whatever else is worth a look in a set of pictures",
        "resize": "copy pictures into a new folder, cut to a size or to the sizes of training",
        "caption": "find captions for pictures, with a model or from their names",
        "tags": "count the words of all captions, prune what the subject is, and change the rest",
        "regularize": "draw class pictures with the base model, as many as the training uses",
    },
    "plan": {
        "new": "write a TOML from a template",
        "templates": "list the templates",
        "options": "explain every key of the TOML",
        "check": "find what is wrong with a TOML and its pictures before anything is paid for",
        "plan": "show buckets, steps and the very pictures and captions of a step",
    },
    "train": {
        "train": "start a run and follow it",
        "resume": "go on with a run that was paused, stopped or killed",
        "status": "show how a run is doing",
        "logs": "show a run's log",
        "pause": "finish the step, save the state and rest",
        "stop": "finish the step, save and stop",
        "save": "save a file now",
        "sample": "draw the sample prompts now",
    },
    "after": {
        "results": "list a run's files, note the best one, and say where to take it",
        "report": "write a run's pictures, curves, captions and files on one page",
        "cache": "show what encoded pictures take on the disk, and make room",
    },
}
"""Group -> command -> summary; the module is `tui.commands.<command>` with `add_arguments(parser)`
and `run(arguments) -> exit status`; where some arguments follow from others, such as those of the
captioner that is chosen, also `add_chosen_arguments(parser, words)`."""


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake ends with where to look."""

    def error(self, message: str) -> NoReturn:
        from ..core.secret import redacted
        from ..core.text import printable

        sys.stderr.write(
            f"{self.prog}: {printable(redacted(message))}\nTry `{self.prog} --help`.\n"
        )
        sys.exit(EXIT_USER_ERROR)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 failed, 2 the user's mistake, 75 stopped
    before the end, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without UTF-8 shows an escape; it never ends the command.
            stream.reconfigure(errors="backslashreplace")
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    if words in (["-h"], ["--help"]):
        sys.stdout.write(overview())
        return 0
    if words in (["-V"], ["--version"]):
        from importlib.metadata import version

        sys.stdout.write(f"lora-wizard {version('lora-wizard')}\n")
        return 0
    if not words or words[0].startswith("-") or _is_path(words[0]):
        words = ["open", *words]
    command = words[0]
    if command not in _commands():
        return _unknown(command)
    module = importlib.import_module(f".commands.{command}", __package__)
    parser = Parser(prog=f"lora-wizard {command}", description=_commands()[command])
    try:
        module.add_arguments(parser)
        if add_chosen := getattr(module, "add_chosen_arguments", None):
            add_chosen(parser, words[1:])
        return module.run(parser.parse_args(words[1:]))
    except WizardError as error:
        _show(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has gone; Python's own flush at exit would complain again.
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        place = f"{error.filename}: {error.strerror or error}"
        _show(WizardError("A file or folder cannot be used", place, "Look at the path."))
        return EXIT_USER_ERROR


def _show(error: WizardError) -> None:
    from ..core.secret import redacted
    from ..core.text import printable
    from .problems import problems_text

    text = printable(str(error), keep_newlines=True) + "\n"
    if isinstance(error, ProblemsError):
        remedy = f"{error.remedy}\n" if error.remedy else ""
        title = printable(error.title + "\n", keep_newlines=True)
        text = title + problems_text(error.problems) + remedy
    sys.stderr.write(redacted(text))


def overview() -> str:
    """The top-level help."""
    lines = ["usage: lora-wizard [COMMAND ...]", "", "From a folder of pictures to a LoRA.", ""]
    for group, commands in GROUPS.items():
        lines.append(f"{group}:")
        lines.extend(f"  {name:<11}{summary}" for name, summary in commands.items())
        lines.append("")
    lines.append("`lora-wizard COMMAND --help` explains a command.")
    return "\n".join(lines) + "\n"


def _commands() -> dict[str, str]:
    return {name: text for commands in GROUPS.values() for name, text in commands.items()}


def _is_path(word: str) -> bool:
    """Whether a word that stands for a command is something to open: a TOML, or pictures."""
    if word in _commands():
        return False
    if "/" in word or word in (".", "..", "~") or word.lower().endswith((".toml", ".zip")):
        return True
    return Path(word).is_dir()


def _unknown(command: str) -> int:
    import difflib

    close = difflib.get_close_matches(command, _commands(), n=1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    said = f"lora-wizard: there is no command {command!r}.{hint}\n"
    sys.stderr.write(f"{said}Try `lora-wizard --help`.\n")
    return EXIT_USER_ERROR


if __name__ == "__main__":
    sys.exit(main())
