"""Write an archive as data, and ask its catalog in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.errors import ExportError
from search_app.exports.archive_data import WRITERS, shot_objects
from search_app.output_files import atomic_write, refuse_folder, refuse_footage, refuse_taken

if TYPE_CHECKING:
    from store.archive import Archive


def write_data(
    archive: Archive, output: Path, format_name: str | None, videos: Sequence[str] = (), *, overwrite: bool = False
) -> int:
    """Write one object for each shot; how many.

    Args:
        archive: an open archive.
        output: the file.
        format_name: json, jsonl, csv or parquet; None for what the ending says.
        videos: paths, ends of paths, or fingerprints; none for all.
        overwrite: whether another file of that name may be replaced.

    Raises:
        ExportError: the format is not known, or the file cannot be written.
        UnknownIdError: there is no such video.
    """
    name = format_name or output.suffix.lower().removeprefix(".")
    if name not in WRITERS:
        raise ExportError(f"{output}: data of an archive end in {', '.join(f'.{one}' for one in WRITERS)}")
    snapshot = archive.snapshot()
    refuse_folder(output)
    refuse_footage(snapshot, output)
    refuse_taken(output, (), overwrite=overwrite)
    ids = [snapshot.video(one).video_id for one in videos]
    with atomic_write(output) as temporary:
        return WRITERS[name](temporary, shot_objects(snapshot, ids))
