"""What can go wrong between a question and a supercut."""

from store.errors import ArchiveError


class QueryError(ArchiveError):
    """The question cannot be understood."""


class RenderError(ArchiveError):
    """A supercut could not be rendered, in whole or in part."""
