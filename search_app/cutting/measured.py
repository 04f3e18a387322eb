"""Rates and sound channels that an archive of an earlier version did not record, read from the files.

Only packets are read, nothing is decoded, and only where what was recorded leaves a doubt. A file that is
gone keeps what was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.media.fingerprint import fingerprint
from indexer.media.stream_probe import probe_streams
from search_app.frame_rates import has_doubtful_rate

if TYPE_CHECKING:
    from indexer.media.stream_probe import StreamFacts
    from search_app.cutting.cut_list import CutList
    from search_app.search.ranking import Hit
    from store.records import VideoFacts, VideoRow

    Known = tuple[Sequence[str], VideoFacts]
    """Locations of a video, and its facts."""


def measure_sources(cut_list: CutList, *, sound: bool = False) -> CutList:
    """The cut list with the rate of most frames where the recorded one is in doubt.

    Args:
        cut_list: the clips.
        sound: also count the channels of sound tracks where they are not recorded.
    """
    known = {clip.video_id: (clip.paths, clip.facts) for clip in cut_list.clips}
    if not (measured := _measure(known, sound=sound)):
        return cut_list
    clips = (replace(clip, facts=measured.get(clip.video_id, clip.facts)) for clip in cut_list.clips)
    return replace(cut_list, clips=tuple(clips))


def measure_videos(videos: Mapping[str, VideoRow], hits: Iterable[Hit]) -> Mapping[str, VideoRow]:
    """The rows of videos with the rate of most frames where the recorded one of a hit's video is in doubt.

    Args:
        videos: the rows, by id.
        hits: which of them are looked at.
    """
    rows = {part.shot.video_id: videos.get(part.shot.video_id) for hit in hits for part in hit.parts}
    known = {video_id: ((row.path, *row.other_paths), row.facts) for video_id, row in rows.items() if row}
    measured = _measure(known, sound=False)
    return {**videos, **{video_id: replace(videos[video_id], facts=facts) for video_id, facts in measured.items()}}


def _measure(known: Mapping[str, Known], *, sound: bool) -> dict[str, VideoFacts]:
    """Facts that are known now of the videos asked for, by id."""
    places = {video_id: path for video_id, (paths, _) in known.items() if (path := _place(video_id, paths))}
    doubtful = {video_id for video_id in places if has_doubtful_rate(known[video_id][1])}
    mute = {video_id for video_id in places if sound and _lacks_channels(known[video_id][1])} - doubtful
    if not doubtful | mute:
        return {}
    found = {
        **probe_streams(places[video_id] for video_id in doubtful),
        **probe_streams((places[video_id] for video_id in mute), rates=False),
    }
    asked = {video_id: found.get(places[video_id]) for video_id in doubtful | mute}
    return {video_id: _completed(known[video_id][1], told) for video_id, told in asked.items() if told}


def _lacks_channels(facts: VideoFacts) -> bool:
    return facts.has_audio and facts.audio_channels is None


def _place(video_id: str, paths: Sequence[str]) -> str | None:
    """Location of the video; never another file, wherever an archive says that it is."""
    return next((path for path in paths if _is_there(video_id, path)), None)


def _is_there(video_id: str, path: str) -> bool:
    try:
        return fingerprint(Path(path)) == video_id
    except (OSError, ValueError):
        return False


def _completed(facts: VideoFacts, found: StreamFacts) -> VideoFacts:
    return replace(
        facts,
        usual_rate=facts.usual_rate or found.usual_rate,
        audio_channels=found.audio_channels if facts.audio_channels is None else facts.audio_channels,
    )
