"""Label videos by prompts: what each interval shows, and what share of each video, from stored vectors."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from indexer.config import IndexSettings
from indexer.models import open_clip_encoder
from indexer.models.zero_shot import NULL_LABEL
from indexer.pipeline import index_videos
from indexer.stages.labels import ZeroShotLabels
from indexer.stages.stage import KnownVideo
from search_app.errors import QueryError
from store.archive import Archive
from store.records import TextSegment

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from indexer.stages.label_timeline import Interval
    from store.records import FrameRow, VideoRow
    from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """How to label.

    Args:
        prompts: the labels, as `clean_prompts` gives them.
        interval: length of an interval in exact seconds.
        several: whether a frame may have several labels.
        stores: whether the labels of intervals become the live labels of the archive.
    """

    prompts: tuple[str, ...]
    interval: Fraction
    several: bool = False
    stores: bool = True

    def __post_init__(self) -> None:
        """Refuse intervals of no length."""
        if self.interval <= 0:
            raise QueryError("an interval has to be longer than 0 s")


@dataclass(frozen=True, slots=True)
class LabelledVideo:
    """The labels of one video.

    Args:
        path: where it was last seen.
        intervals: in order of time.
        shares: for each label that holds anywhere the share of the video, 0 to 1, largest first.
    """

    path: str
    intervals: tuple[Interval, ...]
    shares: tuple[tuple[str, Fraction], ...]


def label_archive(
    archive: Archive, options: LabelOptions, *, videos: Sequence[str] = (), device: str = "auto"
) -> Iterator[LabelledVideo]:
    """Label videos of an archive, one after the other; the video files are not touched.

    Args:
        archive: its vectors are read, and labels written if the options say so.
        options: how to label.
        videos: paths, ends of paths or ids; none for all.
        device: where the encoder runs.

    Raises:
        QueryError: the archive holds no videos.
        UnknownIdError: it does not hold one of them.
        ModelError: the archive's encoder cannot be loaded.
    """
    snapshot = archive.snapshot()
    space = snapshot.space
    if space is None:
        raise QueryError(f"{archive.folder} holds no videos yet; fill it with: rushes index ARCHIVE PATH")
    wanted = [snapshot.video(one) for one in videos] if videos else snapshot.videos()

    def load() -> Encoder:
        return open_clip_encoder.load_encoder_of(space, device=device)

    stage = ZeroShotLabels(load, options.prompts, is_multi=options.several, interval=options.interval)
    if options.stores and wanted:
        archive.choose_run(stage.run)
    for video in wanted:
        known = know_video(snapshot, video)
        if not known.shots:
            continue
        found = stage.label(known)
        if options.stores:
            _store(archive, stage, known)
        yield LabelledVideo(video.path, tuple(found.intervals(options.interval)), tuple(found.shares()))
    if options.stores:
        archive.publish()


def label_file(
    path: Path, options: LabelOptions, *, model: str | None, model_path: Path | None, device: str = "auto"
) -> LabelledVideo:
    """Label a video file that is in no archive: it is indexed into a folder that goes away again.

    Raises:
        QueryError: it cannot be read as a video.
        ModelError: the encoder cannot be loaded.
    """
    encoder = open_clip_encoder.load_encoder(model, model_path, device=device)
    with _passing_archive(path, encoder) as archive:
        stage = ZeroShotLabels(
            lambda: encoder, options.prompts, is_multi=options.several, interval=options.interval
        )
        snapshot = archive.snapshot()
        (video,) = snapshot.videos()
        found = stage.label(know_video(snapshot, video))
    return LabelledVideo(str(path), tuple(found.intervals(options.interval)), tuple(found.shares()))


@contextmanager
def _passing_archive(path: Path, encoder: Encoder) -> Iterator[Archive]:
    with TemporaryDirectory(prefix="rushes-label-") as folder, Archive.create(Path(folder) / "archive") as archive:
        archive.claim_space(encoder.space, source=encoder.space.name)
        outcomes = list(index_videos(archive, [path], encoder, IndexSettings(), lambda _: None))
        if not archive.snapshot().videos():
            reasons = [one.reason for one in outcomes if one.reason]
            raise QueryError(f"{path} cannot be labelled: {'; '.join(reasons) or 'it holds no pictures'}")
        yield archive


def know_video(snapshot: Snapshot, video: VideoRow) -> KnownVideo:
    """A video as stages want it."""
    frames: dict[str, list[FrameRow]] = defaultdict(list)
    for frame in snapshot.frames_of_videos([video.video_id]):
        frames[frame.shot_id].append(frame)
    return KnownVideo(
        video,
        tuple(sorted(snapshot.shots(video.video_id), key=lambda row: row.shot.ordinal)),
        {shot_id: tuple(sorted(found, key=lambda frame: frame.time)) for shot_id, found in frames.items()},
        snapshot,
    )


def _store(archive: Archive, stage: ZeroShotLabels, known: KnownVideo) -> None:
    run = stage.run
    archive.put_text(
        TextSegment(
            known.video.video_id,
            run.stage,
            run.key,
            run.model,
            run.parameters or {},
            stage.derive(known).rows,
            weights_hash=run.weights_hash,
        )
    )


def label_json(found: LabelledVideo) -> dict[str, Any]:
    """The labels of a video as plain data; times in seconds on the file's own clock."""
    return {
        "video": found.path,
        "intervals": [
            {
                "start_seconds": one.span.start_seconds,
                "end_seconds": one.span.end_seconds,
                "label": one.label,
                "score": round(one.score, 4),
                "seconds": {label: round(float(held), 6) for label, held in one.seconds},
            }
            for one in found.intervals
        ],
        "shares": {label: round(float(share), 6) for label, share in found.shares},
    }


def label_csv(videos: Sequence[LabelledVideo]) -> str:
    """The intervals of videos as CSV: video, start_seconds, end_seconds, label, score, share_of_interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("video", "start_seconds", "end_seconds", "label", "score", "share_of_interval"))
    for video in videos:
        for one in video.intervals:
            share = float(one.seconds[0][1] / one.span.duration) if one.seconds else 0.0
            times = (f"{one.span.start_seconds:.6f}", f"{one.span.end_seconds:.6f}")
            writer.writerow((video.path, *times, one.label or "", f"{one.score:.4f}", f"{share:.4f}"))
    return out.getvalue()


def total_shares(videos: Sequence[LabelledVideo]) -> list[tuple[str, float]]:
    """Share of all videos together, by time, largest first."""
    held: dict[str, Fraction] = defaultdict(Fraction)
    total = Fraction(0)
    for video in videos:
        if not video.intervals:
            continue
        length = video.intervals[-1].span.end - video.intervals[0].span.start
        total += length
        for label, share in video.shares:
            held[label] += share * length
    return sorted(((label, float(seconds / total)) for label, seconds in held.items()), key=lambda one: -one[1])


__all__ = [
    "NULL_LABEL", "LabelOptions", "LabelledVideo", "label_archive", "label_csv", "label_file", "label_json",
    "total_shares",
]  # fmt: skip
