"""Every error that Rushes raises on purpose, from one root.

The whole tree, with the module that adds each branch:

    ArchiveError                       store.errors
    ├── ConfigError                    a setting or argument that cannot be used
    ├── NotAnArchiveError              the path is no archive, or cannot become one
    ├── ArchiveTooNewError             written by a newer Rushes
    ├── ArchiveLockedError             somebody else publishes for too long
    ├── ArchiveDamagedError            truth (a segment or an edit) cannot be read
    │   └── CacheDamagedError          a catalog, shard or index of words, which can be made again
    ├── ArchiveFullError               no space left on the device
    ├── SpaceMismatchError             vectors or encoders of different embedding spaces
    ├── UnknownIdError                 no such video, shot, stage or run
    ├── RowRefusedError                a row of a stage that cannot be, when it is written
    ├── RunInUseError                  a run that cannot be dropped
    ├── SqlError                       a statement that the catalog does not answer
    ├── MediaError                     indexer.errors
    │   ├── VideoUnreadableError       not a video, refused, or nothing decodes
    │   ├── NoAudioError               the video has no such sound track
    │   └── FfmpegError                the ffmpeg program failed
    ├── ModelError                     indexer.errors
    │   └── ServerError                a model's server failed one request
    │       └── ServerUnavailableError it fails them all: not reached, key refused, model unknown
    ├── ScanError                      indexer.errors: nothing to index there
    ├── QueryError                     search_app.errors
    ├── NothingKnownError          search_app.errors: no stage has found what an answer needs
    ├── CutError                       search_app.errors: nothing to cut, or a clip is gone
    ├── RenderError                    search_app.errors
    ├── RightsError                    search_app.errors: a clip must not be exported
    ├── TimelineError                  search_app.errors
    └── ExportError                    search_app.errors

A message says what happened, to which file, and what to do about it, in one line. Only the command line
and the app catch `ArchiveError`.
"""


class ArchiveError(Exception):
    """Any failure that Rushes can explain in one line."""


class ConfigError(ArchiveError):
    """A setting or an argument cannot be used."""


class NotAnArchiveError(ArchiveError):
    """The path is not an archive and cannot become one."""


class ArchiveTooNewError(ArchiveError):
    """The archive was written by a newer Rushes than this one."""


class ArchiveLockedError(ArchiveError):
    """Another process has held the writer lock for too long."""


class ArchiveDamagedError(ArchiveError):
    """A file of the truth (segment, edit, archive.json) is damaged."""


class CacheDamagedError(ArchiveDamagedError):
    """A file that is made from the truth is damaged, and can be made again.

    Args:
        message: what happened, for people.
        cache: name of the catalog, shard or inverted file, or of the folder of an index of words.
    """

    def __init__(self, message: str, cache: str) -> None:
        super().__init__(message)
        self.cache = cache


class ArchiveFullError(ArchiveError):
    """The disk that holds the archive has no space left."""


class SpaceMismatchError(ArchiveError):
    """Vectors or encoders of different embedding spaces were about to meet."""


class UnknownIdError(ArchiveError):
    """No video, shot, stage or run of that name is in the archive."""


class RowRefusedError(ArchiveError, ValueError):
    """A row of a stage holds what cannot be: a score that is none, a box outside the picture, an endless text."""


class SqlError(ArchiveError):
    """A statement of SQL is none, or asks for what is not allowed or not there."""


class RunInUseError(ArchiveError):
    """A run of a stage cannot be dropped, because it is live."""
