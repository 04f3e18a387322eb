"""An archive made of a backup: put together beside its place, verified file by file, named last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from store import backup_files, identity
from store.backup_files import LOCK_NAME, Entries, Progress, Writer, content_path
from store.errors import ArchiveDamagedError, ConfigError, NotAnArchiveError
from store.files import digest_bytes, failpoint, has_entries, make_folder, sync_folder, translated_errors
from store.limited import ForeignDataError, read_limited_bytes
from store.truth.segments import MOST_BYTES


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """Result of a restore.

    Args:
        n_files: files of the backup.
        size_bytes: their size.
        damaged: paths of files that are damaged in the backup, or gone from it.
    """

    n_files: int
    size_bytes: int
    damaged: tuple[str, ...]


def restore_archive(
    source: Path,
    folder: Path,
    *,
    skip_damaged: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> RestoreReport:
    """Make an archive of a backup; its caches are made when it is opened.

    A restore that was interrupted leaves no archive, and goes on when it is asked for again.

    Args:
        source: the folder of the backup; it is only read.
        folder: where the archive is to be: a new or empty folder.
        skip_damaged: leave out what is damaged in the backup; of damaged edits all whole lines are kept.
        on_progress: called for every file.

    Raises:
        NotAnArchiveError: there is no finished backup at that path.
        ConfigError: the folder is not empty, is a file or a mount point, or lies in an archive or the backup.
        ArchiveTooNewError: a newer Rushes made the backup.
        ArchiveDamagedError: a file of the backup is damaged or gone.
        ArchiveLockedError: a backup to the source, or a restore to the folder, is running.
        ArchiveFullError: no space.
    """
    source, folder = Path(source).absolute(), Path(folder).absolute()
    _check_place(source, folder)
    if backup_files.read_identity(source) is None:
        raise NotAnArchiveError(f"{source} {_why_no_backup(source)}")
    staging = folder.with_name(f".{folder.name}.restoring")
    with translated_errors(folder):
        make_folder(staging)
        with backup_files.locked(source, if_writable=True), backup_files.locked(staging):
            said = backup_files.read_identity(source)
            entries = backup_files.read_list(source, said.list_digest) if said else {}
            damaged = _copy(source, staging, entries, skip_damaged, on_progress)
            identity.read_identity(staging)
            failpoint("restore.synced")
            (staging / LOCK_NAME).unlink()
            staging.rename(folder)
            sync_folder(folder.parent)
    return RestoreReport(len(entries), sum(entry.size_bytes for entry in entries.values()), tuple(damaged))


def _copy(
    source: Path,
    staging: Path,
    entries: Entries,
    skip_damaged: bool,
    on_progress: Callable[[Progress], None],
) -> list[str]:
    """Write every file of a backup below a folder, durably; gives the paths of those that are damaged."""
    for left in [path for path in staging.rglob("*") if not path.is_dir() and path.name != LOCK_NAME]:
        if left.relative_to(staging).as_posix() not in entries:
            left.unlink()  # of an interrupted restore of another backup
    writer = Writer(staging)
    damaged = []
    for number, (path, entry) in enumerate(sorted(entries.items())):
        on_progress(Progress(len(entries), number, path))
        data = _content(content_path(source, entry.digest))
        if data is None or digest_bytes(data) != entry.digest:
            if not skip_damaged:
                raise ArchiveDamagedError(
                    f"{path} is damaged in the backup {source}: restore another backup, or all that is whole with "
                    "--skip-damaged"
                )
            damaged.append(path)
            if data is None or not path.startswith("edits/"):  # lines of edits have digests of their own
                continue
        place = staging / path
        if _content(place) == data:
            writer.keep(place)
            continue
        writer.write(place, data)
        failpoint("restore.file")
    for name in sorted(identity.OWN_FOLDERS):
        make_folder(staging / name)
    writer.sync()
    return damaged


def _content(path: Path) -> bytes | None:
    try:
        return read_limited_bytes(path, MOST_BYTES, follow_links=False)
    except (OSError, ForeignDataError):
        return None


def _check_place(source: Path, folder: Path) -> None:
    """Refuse to make an archive where anything lies.

    Raises:
        ConfigError: something does.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file and is left alone; name a new folder for the archive")
    if (archive := identity.archive_around(folder)) is not None:
        what = "is an archive" if archive == folder.resolve() else f"lies inside the archive {archive}"
        raise ConfigError(f"{folder} {what}, which is left alone; name a new folder")
    if folder.resolve().is_relative_to(source.resolve()):
        raise ConfigError(f"{folder} lies inside the backup {source}; name a folder outside it")
    if folder.is_mount():
        raise ConfigError(f"{folder} is a mount point; name a new folder in it")
    if has_entries(folder):
        raise ConfigError(f"{folder} is not empty; name a new or empty folder for the archive")


def _why_no_backup(source: Path) -> str:
    if not source.exists():
        return "is no backup, there is no such folder"
    if identity.is_archive(source):
        return "is an archive, not a backup: it can be used, or copied, as it is"
    if (source / backup_files.CONTENTS).is_dir():
        return "holds a backup that was never finished; run `rushes backup` again"
    return "holds no backup"
