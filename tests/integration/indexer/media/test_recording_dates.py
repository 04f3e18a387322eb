"""The day of recording on its way from a file's tags to the filter `date:`."""

from datetime import date
from pathlib import Path

import av

from indexer.config import IndexSettings
from indexer.pipeline import index_videos
from store.archive import Archive
from store.filters import RecordedDate
from tests.colour_clips import write_colour_clip
from tests.fakes import FakeEncoder


def write_dated_copy(source: Path, target: Path, recorded: str) -> None:
    """The same packets in a file that says when it was recorded."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as taken, av.open(str(target), "w") as copy:
        copy.metadata["creation_time"] = recorded
        stream = copy.add_stream_from_template(taken.streams.video[0])
        for packet in taken.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)


def test_a_video_is_found_by_the_day_in_its_tags(tmp_path: Path) -> None:
    """The last second of a year belongs to that year alone, whatever the age of the file."""
    clip = write_colour_clip(tmp_path / "clip.mp4", ["red"])
    write_dated_copy(clip, tmp_path / "lib/dated.mp4", "2019-12-31T23:59:59Z")
    encoder = FakeEncoder()
    with Archive.create(tmp_path / "arch") as archive:
        archive.claim_space(encoder.space, source="fake")
        list(index_videos(archive, [tmp_path / "lib"], encoder, IndexSettings(), lambda _: None))
        snapshot = archive.snapshot()
        (video,) = snapshot.videos()
        found = [
            len(snapshot.matching_shots(RecordedDate(date(year, 1, 1), date(year + 1, 1, 1)), {}))
            for year in (2018, 2019, 2020)
        ]
    assert "2019-12-31T23:59:59+00:00" == video.facts.recorded_at
    assert [0, 1, 0] == found
