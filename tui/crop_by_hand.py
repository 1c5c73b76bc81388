"""Setting crops on the screen, for a command."""

from __future__ import annotations

import sys

from ..core.errors import WizardError
from ..core.resize.order import Order, check_folders
from .commands.open import is_asked, why_plain


def crop_by_hand(order: Order) -> bool:
    """Open the screen; whether the person has finished, and did not quit. Raises WizardError where
    there is no screen to draw on, or the folders cannot be used."""
    check_folders(order.source, order.into)
    if not is_asked() or why_plain():
        raise WizardError(
            "Crops are set by hand on a terminal",
            "There is none here that can show pictures.",
            "Leave --by-hand out; --at subject looks where most is to be seen.",
        )
    from .lifeline import end_with_terminal, leave_when_told
    from .screens.crop_app import CropApp
    from .terminal.probe import probe

    app = CropApp(order, probe("auto"))
    end_with_terminal(sys.__stdin__.fileno() if sys.__stdin__ else 0)
    leave_when_told(app.leave)
    app.run()
    if app.crash:
        raise WizardError("The screen for crops has failed", app.crash)
    return app.is_done
