"""The timecode of a clip's source, running: what each frame of the film is called, and a picture of every name.

Names change with every frame, so they are drawn as one file of PNGs, one after another at the film's rate: ffmpeg
lays the picture of a frame over that frame, and never sees a text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile

from PIL import Image, ImageDraw

from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip, CutList
from search_app.rendering.lettering import draw_cells
from search_app.timelines.sources import frames_in
from search_app.timelines.timecode import format_timecode
from search_app.timelines.timeline import plan_timeline

_SIGNS = "0123456789:;"
_FAST_PNG = 1


def shown_timecodes(clip: Clip, profile: Profile) -> tuple[list[str], list[str]]:
    """Name of the source frame that each frame of a clip shows, and what is not as one might expect of them.

    Frame for frame as `conforming/conform.py` places them; of a source without a constant rate, at its average. It
    is one name more than the clip lasts: a clip may turn out a frame longer than its length promised.
    """
    timeline = plan_timeline(CutList((clip,)), "")
    source, facts, rate = timeline.clips[0].source, clip.facts, profile.frame_rate
    first, n_shown = frames_in(clip, source)
    late = (facts.span.start + first / source.rate - clip.span.start) * rate
    offset = late if late >= 1 else Fraction(0)  # a clip begins with its first frame if that is less than one late
    names = []
    for frame in range(math.ceil(clip.span.duration * rate) + 1):
        # The last source frame k for which floor(k * rate / source.rate + offset + 1/2) <= frame.
        shown = math.ceil((frame + Fraction(1, 2) - offset) * source.rate / rate) - 1
        number = source.start + first + min(max(0, shown), n_shown - 1)
        names.append(format_timecode(number, source.rate, drop=source.drop))
    return names, [remark.alone for remark in timeline.remarks]


def draw_timecodes(
    names: Sequence[str], size_px: int, box_opacity: int, folder: Path
) -> tuple[Path, tuple[int, int], str]:
    """A picture of each name, in one file; the file, the size of the pictures, and what names their look.

    Every sign has a place of its own, so that nothing moves but what changes.
    """
    cells = draw_cells(_SIGNS, size_px)
    width, height = cells[_SIGNS[0]].size
    margin = size_px // 2
    size = (width * max(map(len, names)) + 2 * margin, height + margin)
    empty = Image.new("RGBA", size, (0, 0, 0, 0))
    box = ((0, 0, size[0] - 1, size[1] - 1), size_px // 4, (0, 0, 0, box_opacity))
    ImageDraw.Draw(empty).rounded_rectangle(*box)
    look = (names, size, box_opacity, *(cell.tobytes() for cell in cells.values()))
    digest = blake2b(repr(look).encode(), digest_size=16).hexdigest()
    with NamedTemporaryFile(dir=folder, prefix="timecodes-", delete=False) as file:
        for name in names:
            picture = empty.copy()
            for place, sign in enumerate(name):
                picture.alpha_composite(cells[sign], (margin + place * width, margin // 2))
            picture.save(file, format="PNG", compress_level=_FAST_PNG)
    return Path(file.name).replace(folder / f"timecodes-{digest}.png"), size, digest
