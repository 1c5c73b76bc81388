"""A step that is mostly fields: what is wrong with a field is said beside it, the rest below."""

from __future__ import annotations

from dataclasses import replace

from ..walk.assessment import Assessment
from ..widgets.form import Form
from .step import StepScreen


class FormStep(StepScreen):
    """A step with a form."""

    def show_assessment(self, assessment: Assessment) -> None:
        """Show the problems of the fields beside them, and what is left as any step does."""
        beside: set[str] = set()
        for form in self.query(Form):
            form.show_problems(assessment.problems)
            beside |= {field.info.key for field in form.fields if field.display}
        rest = [item for item in assessment.problems if item.where.partition("[")[0] not in beside]
        super().show_assessment(replace(assessment, problems=tuple(rest)))

    def focus_field(self, key: str) -> None:
        """Go to the field of an option, where a problem was found."""
        for form in self.query(Form):
            if form.focus_field(key):
                return
