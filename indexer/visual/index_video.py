"""One video into one segment: a limited child decodes it, and a shared service encodes its pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from indexer.models.batching import EncodedPicture, EncodingQueue
from indexer.stages.run_stage import Report, StageOutcome, StageProgress, VideoTask, run_stage
from indexer.visual.decode_pass import DecodeSettings, Sample, decode_pass
from indexer.visual.segment_builder import SegmentBuilder, segment_key, segment_parameters, thumbnail_name
from store.records import Segment

KeepThumbnail = Callable[[str, bytes], object]
"""Takes the name of a thumbnail below `thumbs/` and its WebP bytes; called on the thread of the video."""


@dataclass(frozen=True, slots=True)
class IndexedVideo:
    """Result of indexing one video.

    Args:
        segment: facts, shots, frames and their vectors.
        seconds: time spent on `decode`, `detect`, `shrink` and `encode`.
    """

    segment: Segment
    seconds: Mapping[str, float]


def index_video(
    task: VideoTask,
    report: Report,
    *,
    settings: DecodeSettings,
    encoder: EncodingQueue,
    keep_thumbnail: KeepThumbnail,
) -> StageOutcome[IndexedVideo]:
    """The outcome of indexing one video, which can be pickled; nothing but thumbnails is written.

    Args:
        task: the video.
        report: called with the progress, for every picture.
        settings: how to decode and sample.
        encoder: places pictures in the archive's embedding space; batches them with those of other videos.
        keep_thumbnail: called for every picture while decoding goes on: memory does not grow with the video.

    Raises:
        ModelError: the encoder cannot be loaded, or fails.
        ArchiveError: thumbnails cannot be kept.
    """
    stage = partial(_index, settings=settings, encoder=encoder, keep_thumbnail=keep_thumbnail)
    return run_stage(stage, task, report)


def _index(
    task: VideoTask,
    report: Report,
    settings: DecodeSettings,
    encoder: EncodingQueue,
    keep_thumbnail: KeepThumbnail,
) -> IndexedVideo:
    parameters = segment_parameters(settings, encoder.image_size_px)
    builder = SegmentBuilder(task.fingerprint, task.size_bytes)
    awaited: deque[Future[EncodedPicture]] = deque()
    try:
        with closing(decode_pass(task.path, settings, encoder.image_size_px)) as found:
            for item in found:
                if not isinstance(item, Sample):
                    builder.result = item
                    continue
                keep_thumbnail(thumbnail_name(task.fingerprint, item.time), item.thumbnail_webp)
                builder.add_sample(item)
                awaited.append(encoder.submit(item.image))
                report(_collect(task, builder, awaited, is_last=False))
        encoder.flush()
        report(_collect(task, builder, awaited, is_last=True))
    finally:
        for future in awaited:
            future.cancel()
    segment = builder.build(segment_key(parameters, encoder.space), encoder.space, parameters)
    return IndexedVideo(segment, {**builder.decode_seconds, "encode": builder.encode_seconds})


def _collect(
    task: VideoTask, builder: SegmentBuilder, awaited: deque[Future[EncodedPicture]], *, is_last: bool
) -> StageProgress:
    """Take the vectors that are there, or wait for all; what was taken."""
    n_pictures, seconds = 0, 0.0
    while awaited and (is_last or awaited[0].done()):
        encoded = awaited.popleft().result()
        builder.add_vectors(encoded.vector, encoded.seconds)
        n_pictures += 1
        seconds += encoded.seconds
    return StageProgress(task.path, n_pictures, {"encode": seconds})
