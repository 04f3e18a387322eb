"""The pieces of a supercut joined into one file: pictures copied, sound coded once over the whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, open_own, save
from indexer.media.headers import read_headers
from search_app.conforming.coding import CODINGS, concat_list, container_of, join_options
from search_app.conforming.picture_names import Codec
from search_app.conforming.target_profile import SOFTWARE_ENCODER, Profile
from search_app.rendering.animation import write_gif
from search_app.rendering.assembly import Piece


def join_pieces(
    program: Ffmpeg,
    pieces: Sequence[Piece],
    sound: Path,
    profile: Profile,
    target: Path,
    *,
    metadata: str = "",
    cancel: threading.Event | None = None,
    on_frame_count: Callable[[int], None] | None = None,
    coded_sound: Path | None = None,
) -> None:
    """Write the joined file.

    Args:
        program: ffmpeg.
        pieces: the files of the pictures, in order; beside the sound.
        sound: raw samples of the whole.
        profile: its shape.
        target: the file to write; its ending names the container.
        metadata: title and chapters, as ffmpeg's metadata file; empty for none.
        cancel: stops it when set.
        on_frame_count: told how many frames are copied.
        coded_sound: the same samples coded already, which are copied then.

    Raises:
        FfmpegError: it failed or was cancelled, or the pieces cannot be joined under the headers of the first.
    """
    if profile.encoder != SOFTWARE_ENCODER:
        _check_headers([sound.with_name(piece.name) for piece in pieces], profile.encoder)
    listed = sound.with_name("clips.ffconcat")
    listed.write_text(concat_list([(piece.name, piece.n_frames) for piece in pieces], profile))
    pictures = open_own(listed, format="concat", safe=1)
    if coded_sound:
        samples = open_own(coded_sound)
    else:
        samples = open_own(sound, format="s16le", ar=profile.sample_rate, ch_layout=profile.channel_layout)
    is_gif = profile.codec is Codec.GIF
    written = target.with_name("pictures.mov") if is_gif else target
    container = "mov" if is_gif else container_of(target, profile.codec)
    options = join_options(profile, container)
    if coded_sound:
        options["c:a"] = options.pop("b:a") and "copy"
    streams = [pictures["v:0"]] if CODINGS[profile.codec].shows_pictures else []
    streams += [samples["a:0"]] if CODINGS[profile.codec].sound else []
    if metadata:
        described = sound.with_name("film.ffmetadata")
        described.write_text(metadata, encoding="utf-8")
        options |= {"map_metadata": len(streams), "map_chapters": len(streams)}
        streams.append(open_own(described, format="ffmetadata")["?"])  # it has no streams, and none is missed
    program.run(save(streams, written, format=container, **options), cancel=cancel, on_frame_count=on_frame_count)
    if is_gif:
        write_gif(program, written, target, cancel=cancel, on_frame_count=on_frame_count)


def _check_headers(paths: Sequence[Path], encoder: str) -> None:
    """Of x264 we know that it writes the same headers for all pieces; of a card's encoder it has to be seen."""
    if len({read_headers(path) for path in paths}) > 1:
        raise FfmpegError(
            f"{encoder} wrote clips whose headers differ, which cannot be joined: leave --encoder out"
        )
