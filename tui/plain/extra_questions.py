"""What a step asks and tells beside its options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...core.config.options import OptionInfo
from ...core.errors import WizardError
from ...core.estimates.figures import parse_price
from ...core.families import registry as families
from ..problems import problems_text
from ..walk import arithmetic, dataset, lengths, proposals
from ..walk.assessment import Assessment
from ..walk.draft import Draft
from ..walk.option_words import choices
from ..walk.steps import Step, find
from ..walk.transfer import PICTURES, address, upload_command
from . import findings
from .bases import BaseQuestions
from .captions import CaptionQuestions
from .concepts import ConceptQuestions
from .talk import CLEAR, KEEP, Talk

Question = Callable[[], None]


class ExtraQuestions:
    """By step, in the order in which they come. ``assess`` says what is known of the draft now."""

    def __init__(self, talk: Talk, draft: Draft, assess: Callable[[], Assessment]) -> None:
        self._talk = talk
        self._draft = draft
        self._assess = assess
        self._bases = BaseQuestions(talk, draft, assess)

    def before(self, step: Step) -> list[Question]:
        """Come before the step's options."""
        known: dict[str, list[Question]] = {
            "dataset": [self._say_upload],
            "model": [self._bases.choose],
            "samples": [self._propose_prompts],
            "output": [self._propose_name],
        }
        return known.get(step.name, [])

    def beside(self, step: Step) -> list[Question]:
        """Come after the basic options."""
        known: dict[str, list[Question]] = {"dataset": [self._ask_subject, self._ask_class_word]}
        return known.get(step.name, [])

    def reports(self, step: Step) -> list[Question]:
        """Come after all options, and ask nothing."""
        known: dict[str, list[Question]] = {
            "dataset": [self._tell_pictures],
            "captions": [self._tell_captions],
            "repeats": [self._tell_steps],
            "model": [self._bases.tell],
        }
        return known.get(step.name, [])

    def after(self, step: Step) -> list[Question]:
        """Come last."""
        known: dict[str, list[Question]] = {
            "captions": [CaptionQuestions(self._talk, self._draft, self._assess).ask],
            "repeats": [self._ask_target],
            "output": [self._ask_price],
        }
        return known.get(step.name, [])

    def when_mended(self, step: Step) -> list[Question]:
        """Come when the step's problems were offered their mends."""
        concepts = ConceptQuestions(self._talk, self._draft, self._assess)
        return [concepts.ask] if step.name == "dataset" else []

    def applies(self, info: OptionInfo) -> bool:
        """Whether an option is worth a question in this draft."""
        if info.key in ("dataset.folder", "dataset.repeats") and self._draft.value(
            "dataset.concepts"
        ):
            return False
        if len(words := choices(info)) == 1:
            return self._draft.shown(info.key) != words[0]
        try:
            spec = families.find(str(self._draft.value("model.family")))
        except WizardError:
            return True
        return info.key not in spec.options_that_do_not_apply

    def _say_upload(self) -> None:
        command = upload_command(Path.cwd())
        there = address()
        if not command or there is None:
            return
        self._talk.show()
        self._talk.say(
            f"Pictures on your own machine? Run this there, in another window, with the folder's "
            f"name in place of {PICTURES}:"
        )
        self._talk.show(command)
        if there.caveat:
            self._talk.say(there.caveat)

    def _ask_subject(self) -> None:
        subject = dataset.subject_of(self._draft)
        names = [item.name for item in dataset.SUBJECTS]
        self._talk.show()
        at = self._talk.choose(
            "What do the pictures show?",
            [(item.name, f"such as {item.examples}") for item in dataset.SUBJECTS],
            names.index(subject.name),
        )
        dataset.choose_subject(self._draft, names[at])
        if preset := dataset.fitting_preset(self._draft):
            self._talk.say(f"There is a preset for that: {preset}.")
            if self._talk.agree("Take its values? What you have answered stays."):
                self._draft.apply(preset)
                dataset.clear_placeholders(self._draft)

    def _ask_class_word(self) -> None:
        self._talk.show()
        self._talk.show("Class word")
        self._talk.say(
            "The common word for it, such as woman, dog or car: for the sample prompts that are "
            "proposed later, and for class pictures.",
            "  ",
        )
        answer = self._talk.ask(f"Class word [{self._draft.fact('class_word')}]:")
        if answer != KEEP:
            self._draft.note("class_word", "" if answer == CLEAR else answer)

    def _tell_pictures(self) -> None:
        known = self._assess()
        self._talk.show()
        if known.plan is None:
            self._talk.say("The pictures cannot be used yet.")
        else:
            for line in findings.of_pictures(known.plan):
                self._talk.say(line)
        found = dataset.settled(find("dataset").problems(known.problems))
        self._talk.show(problems_text(found).rstrip("\n") or "No problems with the pictures.")

    def _tell_captions(self) -> None:
        known = self._assess()
        if known.plan is not None:
            self._talk.show()
            for line in findings.of_captions(known.plan):
                self._talk.say(line)

    def _tell_steps(self) -> None:
        known = self._assess()
        self._talk.show()
        if known.plan is None or known.schedule is None or known.config is None:
            self._talk.say("How many steps that makes is known as soon as there are pictures.")
            return
        for line in arithmetic.chain(known.plan, known.config, known.schedule):
            self._talk.say(line)
        self._talk.show()
        self._talk.show("What the guides would count:")
        for line in findings.of_rules(known.plan, known.config):
            self._talk.say(line, "  ")

    def _ask_target(self) -> None:
        known = self._assess()
        if known.plan is None or known.schedule is None or known.config is None:
            return
        plan, config = known.plan, known.config
        targets = arithmetic.targets(plan, config)
        self._talk.show()
        self._talk.show("Another length? Type a number of steps, or:")
        for target in targets:
            self._talk.say(f"{target.name}: {target.steps:,} steps. {target.reason}", "  ")
        steps = self._ask_steps({target.name: target.steps for target in targets})
        if steps is None:
            return
        ways = [lengths.by_epochs(steps, plan, config), lengths.by_repeats(steps, plan, config)]
        open_ways = [way for way in ways if way.changes]
        for way in ways:
            if not way.changes:
                self._talk.say(f"{way}: {way.obstacle}")
        limit = "max steps, which would end it sooner, is taken out"
        words = [(str(way), limit if way.lifts_limit else "") for way in open_ways]
        words.append(("as it was", ""))
        at = self._talk.choose("How?", words)
        if at < len(open_ways):
            lengths.take_over(self._draft, open_ways[at].changes)
            self._tell_steps()

    def _ask_steps(self, named: dict[str, int]) -> int | None:
        while True:
            answer = self._talk.ask("Steps [as it is]:")
            if answer == KEEP:
                return None
            if answer.lower() in named:
                return named[answer.lower()]
            number = answer.replace(",", "")
            if number.isdecimal() and int(number) > 0:
                return int(number)
            self._talk.say(f"Type a number of steps, {', '.join(named)}, or press enter.")

    def _ask_price(self) -> None:
        self._talk.show()
        self._talk.say("What this machine costs an hour, to know what the run costs:")
        now = self._draft.fact("price_per_hour")
        while (answer := self._talk.ask(f"Price an hour [{now}]:")) not in (KEEP, CLEAR):
            if parse_price(answer):
                self._draft.note("price_per_hour", answer)
                return
            self._talk.say("Type a number, with its currency if you like: 0.79, $0.79, 0.79 EUR.")
        if answer == CLEAR:
            self._draft.note("price_per_hour", "")

    def _propose_prompts(self) -> None:
        proposed = proposals.sample_prompts(self._draft)
        if self._draft.value("samples.prompts") or not proposed:
            return
        self._talk.show()
        self._talk.say("Prompts to begin with; the last shows whether the base model stays itself:")
        for prompt in proposed:
            self._talk.say(prompt, "  ")
        if self._talk.agree("Take them?", default=True):
            self._draft.put("samples.prompts", proposed)

    def _propose_name(self) -> None:
        name, draft = proposals.output_name(self._draft), self._draft
        if not name or draft.is_own("output.name") or draft.name == name:
            return
        self._talk.show()
        if self._talk.agree(f"Call the LoRA {name}, after its trigger word?", default=True):
            draft.put("output.name", name)
            draft.put("output.comment", proposals.output_comment(draft))
