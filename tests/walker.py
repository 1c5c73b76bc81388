"""A person at a real terminal who walks from a folder of pictures to a training, by keyboard."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from terminal import Terminal

ENTER, TAB, ESCAPE, DOWN, LEFT = "\r", "\t", "\x1b", "\x1b[B", "\x1b[D"
NEXT, QUIT = "\x0e", "\x11"
F2, F4, F5 = "\x1bOQ", "\x1bOS", "\x1b[15~"
SHELL = ("sh", "-i")


def shell_environment() -> dict[str, str]:
    """Of a shell that finds the wizard, on a machine without a GPU."""
    here = str(Path(sys.executable).parent)
    return {
        "PATH": f"{here}:{os.environ['PATH']}",
        "PS1": "$ ",
        "ENV": "/dev/null",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


class Walker:
    """Presses keys and waits for what they bring. ``at`` is told each place that was reached."""

    def __init__(
        self, terminal: Terminal, at: Callable[[str], object] = lambda place: None
    ) -> None:
        self.terminal = terminal
        self.at = at

    def press(self, keys: str, then: str | Callable[[], object]) -> None:
        """Press ``keys`` and wait for a text, or for a condition."""
        self.terminal.press(keys)
        self.terminal.wait_for(then)

    def tap(self, *keys: str) -> None:
        """Press one key after the other, each when the one before it has been painted."""
        for key in keys:
            self.terminal.wait_for_quiet()
            before = len(self.terminal.written)
            self.press(key, lambda before=before: len(self.terminal.written) > before)
        self.terminal.wait_for_quiet()

    def shows(self, pattern: str) -> Callable[[], object]:
        """Whether the screen has a match of ``pattern``."""
        return lambda: re.search(pattern, self.terminal.text)

    def enter_wizard(self) -> None:
        """From the shell to Home."""
        self.terminal.wait_for("$")
        self.press(f"lora-wizard{ENTER}", "from a folder of pictures to a LoRA")
        self.at("Home")

    def begin(self) -> None:
        """A new LoRA from the first preset."""
        self.press("n", "What is it to learn?")
        self.at("Preset")
        self.press(ENTER, "Where are your pictures?")
        self.terminal.wait_for("Step 1/8")

    def dataset(self, folder: str, *, subject: str, trigger: str) -> None:
        """The folder, by its first two letters; what it shows, and the word that calls it."""
        self.press(folder[:2], f"{folder}/ ")
        self.press(TAB, self.shows(r"Found \d+ pictures"))
        # Past what was found to the questions about it.
        self.tap(*[ENTER] * 4)
        self.press(subject, self.shows(rf"Class word +{subject}"))
        self.tap(ENTER)
        self.press(trigger, self.shows(rf"Trigger words +{trigger}"))
        self.at("Dataset")
        self.press(NEXT, "Step 2/8")

    def captions(self, first: str, count: int) -> None:
        """One caption typed, the others from the names of the files."""
        self.terminal.wait_for(f"1 of {count}")
        self.press(first, f"Trained as: {first[:20]}")
        self.press(ENTER, f"2 of {count}")
        self.press(F5, f"{count - 1} captions would be written")
        self.press(F2, f"{count - 1} captions written")
        self.at("Captions")
        self.press(NEXT, "Step 3/8")

    def repeats(self, repeats: int, epochs: int) -> None:
        """How long."""
        self.terminal.wait_for("How long?")
        self.press(f"{repeats}", self.shows(rf"x {repeats} repeats? ="))
        self.tap(ENTER)
        self.press(f"{epochs}", self.shows(rf"x {epochs} epochs? ="))
        self.at("Repeats & epochs")
        self.press(NEXT, "Step 4/8")

    def model(self, name: str) -> None:
        """From the list of the models that are there, with the precision that is advised."""
        self.terminal.wait_for("F4: choose one of these")
        self.terminal.wait_for(name)
        self.tap(F4, *[DOWN] * self._rows_above(name))
        self.press(ENTER, self.shows(rf"Base model +\S*{name}"))
        self.terminal.wait_for("recognised")
        self.press(F2, "[fp32]")
        self.at("Model")
        self.press(NEXT, "Step 5/8")

    def model_by_path(self, folder: str, file: str) -> None:
        """A checkpoint, its path typed and completed in place of the preset's model."""
        self.terminal.wait_for("F4: choose one of these")
        self.terminal.wait_for_quiet()
        self.press(folder[:2], f"{folder}/ ")
        self.press(TAB, self.shows(rf"Base model +{folder}/{file[:1]}?"))
        self.press(file[:2], self.shows(rf"\n +{file}"))
        self.press(TAB, "recognised")
        self.press(F2, "[fp32]")
        self.at("Model")
        self.press(NEXT, "Step 5/8")

    def _rows_above(self, name: str) -> int:
        lines = self.terminal.text.splitlines()
        first = next(at for at, line in enumerate(lines) if line.startswith(" F4: choose"))
        return next(at for at, line in enumerate(lines[first + 1 :]) if name in line)

    def parameters(self, *, rank: int, resolution: int) -> None:
        """Two of the ten that matter."""
        self.press(f"{rank}", self.shows(rf"Rank +{rank} "))
        self.tap(*[ENTER] * 6)
        self.press(f"{resolution}", self.shows(rf"Resolution \(px\) +{resolution} "))
        self.at("Parameters")
        self.press(NEXT, "Step 6/8")

    def samples(self, prompt: str) -> None:
        """The prompt that is proposed."""
        self.terminal.wait_for(f"Proposed: {prompt}")
        self.press(F2, self.shows(rf"Prompts +{prompt}"))
        self.at("Samples")
        self.press(NEXT, "Step 7/8")

    def output(self, name: str) -> None:
        """The name that is proposed."""
        self.terminal.wait_for(f"name {name}")
        self.press(F2, self.shows(rf"LoRA name +{name} "))
        self.at("Output")
        self.press(NEXT, "Step 8/8")

    def review(self) -> None:
        """It can start: it is started."""
        self.terminal.wait_for("It can start")
        self.at("Review")
        self.press(ENTER, "Start the training?")
        self.press(ENTER, self.shows(r"step [1-9]\d*/\d+"))
        self.at("Training")
