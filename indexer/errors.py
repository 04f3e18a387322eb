"""Errors on the way from a video file to the archive."""

from store.errors import ArchiveError


class MediaError(ArchiveError):
    """A media file or a media program failed us."""


class VideoUnreadableError(MediaError):
    """The file is not a video, is refused, or holds nothing that decodes."""


class NoAudioError(MediaError):
    """The video has no such sound track."""


class FfmpegError(MediaError):
    """The ffmpeg program failed; the message carries the end of what it printed."""


class ModelError(ArchiveError):
    """A model cannot be found, loaded, or run."""


class ServerError(ModelError):
    """A model's server did not answer one request as it should; others may go well."""


class ServerUnavailableError(ServerError):
    """A model's server answers no request: it cannot be reached, refuses the key, or does not know the model."""


class ScanError(ArchiveError):
    """There is nothing to index where the user pointed."""
