"""A zip where a folder should be."""

from __future__ import annotations

from ...core.dataset.archive import extract, look_into
from ...core.dataset.archive_content import ArchiveError, found_text
from ...core.dataset.archive_words import is_zip
from ..walk.dataset import path_of
from ..walk.draft import Draft
from .talk import Talk

FOLDER = "dataset.folder"


def is_packed(draft: Draft) -> bool:
    """Whether a zip that is there stands where a folder should."""
    zipped = path_of(draft, draft.shown(FOLDER))
    return zipped is not None and is_zip(zipped) and zipped.is_file()


def offer_to_unpack(talk: Talk, draft: Draft) -> bool:
    """Unpack the zip that is given as the dataset's folder, if the person agrees; returns whether
    the new folder stands in its place."""
    zipped = path_of(draft, draft.shown(FOLDER))
    if zipped is None or not is_packed(draft):
        return False
    try:
        talk.say(f"{zipped.name}: {found_text(look_into(zipped))}.", "  ")
        if not talk.agree("Unpack it into a new folder beside it?", default=True):
            return False
        folder = extract(zipped, talk.progress("Files unpacked:"))
    except ArchiveError as error:
        talk.show(str(error))
        return False
    talk.show(f"Unpacked: {folder}")
    draft.enter(FOLDER, str(folder))
    return True
