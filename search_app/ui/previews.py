"""Short films of single shots, small enough for any browser: what plays when a hit is clicked.

A preview is a supercut of one clip, so it begins and ends on the shot's own frames whatever the source is coded
in, and the master, however large, is never sent.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from indexer.library.scan import fingerprint_file
from search_app.conforming.target_profile import choose_profile
from search_app.cutting.cut_list import build_cut_list
from search_app.rendering.supercut import render_supercut
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from search_app.conforming.target_profile import Profile
    from search_app.search.ranking import Hit
    from search_app.ui.media_cache import MediaShelf
    from store.records import VideoFacts, VideoRow

MAX_SECONDS = 60
MAX_SIDE_PX = 960
LEAD_SECONDS = 2.0
_CRF = 24


@dataclass(frozen=True, slots=True)
class PreviewStart:
    """Where a preview begins, and where it begins to play.

    Args:
        skipped: how much of the shot is left out before it, in seconds.
        offset_seconds: second of the preview at which it begins to play.
    """

    skipped: Fraction
    offset_seconds: float


def preview_start(hit: Hit) -> PreviewStart:
    """A hit that was found by a spoken word plays from there; a long shot is previewed from shortly before it."""
    offset = max(0.0, hit.play_seconds - hit.span.start_seconds)
    if offset <= MAX_SECONDS / 2:
        return PreviewStart(Fraction(0), round(offset, 3))
    return PreviewStart(Fraction(round((offset - LEAD_SECONDS) * 1000), 1000), LEAD_SECONDS)


class Previews:
    """Makes previews, one at a time, and remembers them.

    Args:
        shelf: where they go.
    """

    def __init__(self, shelf: MediaShelf) -> None:
        self._shelf = shelf
        self._addresses: dict[str, str] = {}
        self._lock = threading.Lock()

    def address_of(self, hit: Hit, video: VideoRow) -> str:
        """Address of the preview of a shot; makes it if there is none yet.

        Args:
            hit: the shot.
            video: its video.

        Raises:
            RenderError: the source is missing, was changed since it was indexed, or cannot be decoded.
        """
        with self._lock:
            skipped = preview_start(hit).skipped
            key = f"{hit.shot.shot_id} {skipped}"
            known = self._addresses.get(key)
            if known is not None and self._shelf.holds(known):
                return known
            output = self._shelf.new_path()
            shown = [_without_beginning(hit, skipped)]
            cut_list = build_cut_list(shown, {video.video_id: video}, max_seconds=Fraction(MAX_SECONDS))
            render_supercut(
                cut_list, output, identify=fingerprint_file, profile=preview_profile(video.facts), verify=False
            )
            self._addresses[key] = self._shelf.put(output)
            return self._addresses[key]


def _without_beginning(hit: Hit, skipped: Fraction) -> Hit:
    """The hit with a span that begins later."""
    if not skipped:
        return hit
    span = TimeSpan(hit.span.start + skipped, hit.span.end)
    row = replace(hit.shot, shot=replace(hit.shot.shot, span=span))
    return replace(hit, shot=row, members=(), steps=())


def preview_profile(facts: VideoFacts) -> Profile:
    """The source's own shape and rate, smaller if it is large."""
    profile = choose_profile([facts])
    scale = min(Fraction(1), Fraction(MAX_SIDE_PX, max(profile.width_px, profile.height_px)))
    return replace(
        profile,
        width_px=max(2, int(profile.width_px * scale) // 2 * 2),
        height_px=max(2, int(profile.height_px * scale) // 2 * 2),
        crf=_CRF,
    )
