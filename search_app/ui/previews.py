"""Short films of single shots, small enough for any browser: what plays when a hit is clicked.

A preview is a supercut of one clip, so it begins and ends on the shot's own frames whatever the source is coded
in, and the master, however large, is never sent.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from indexer.library.scan import fingerprint_file
from search_app.conforming.target_profile import choose_profile
from search_app.cutting.cut_list import build_cut_list
from search_app.rendering.supercut import render_supercut

if TYPE_CHECKING:
    from search_app.conforming.target_profile import Profile
    from search_app.search.ranking import Hit
    from search_app.ui.media_cache import MediaShelf
    from store.records import VideoFacts, VideoRow

MAX_SECONDS = 60
MAX_SIDE_PX = 960
_CRF = 24


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
            known = self._addresses.get(hit.shot.shot_id)
            if known is not None and self._shelf.holds(known):
                return known
            output = self._shelf.new_path()
            cut_list = build_cut_list([hit], {video.video_id: video}, max_seconds=Fraction(MAX_SECONDS))
            render_supercut(
                cut_list, output, identify=fingerprint_file, profile=preview_profile(video.facts), verify=False
            )
            self._addresses[hit.shot.shot_id] = self._shelf.put(output)
            return self._addresses[hit.shot.shot_id]


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
