"""Errors between a question and a supercut."""

from store.errors import ArchiveError


class QueryError(ArchiveError):
    """The question cannot be understood.

    Args:
        message: what is wrong, and what to write instead.
        position: index of the character of the query at which it went wrong, None if it is about all of it.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message if position is None else f"{message} (at character {position + 1})")
        self.position = position


class NothingKnownError(ArchiveError):
    """No stage has found what an answer would rest on; nothing is made up instead."""


class CutError(ArchiveError):
    """There is nothing to cut, or a clip of a cut list is not in the archive any more."""


class RenderError(ArchiveError):
    """A supercut could not be rendered, in whole or in part."""


class TimelineError(ArchiveError):
    """A timeline could not be written, or would not say what the cut list says."""


class RightsError(ArchiveError):
    """A clip must not be exported, or only with a mark that the export cannot draw."""


class ExportError(ArchiveError):
    """A list, sheet or project could not be written, or would not say what the cut list says."""
