"""The pieces of a supercut, put one after another: pictures in a file each, sound in one track.

Pictures that an interrupted render has finished are taken over; sound is made anew, which takes a fraction of it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, thread_count
from search_app.conforming.audio import conform_sound
from search_app.conforming.clip_job import ClipJob
from search_app.conforming.coding import CLIP_SUFFIX
from search_app.conforming.conform import Conformed, conform_picture
from search_app.conforming.hardware import encoder_limits
from search_app.conforming.overlays_and_fades import Dress, Held, Layer, encode_held, still
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip
from search_app.cutting.film_frames import film_frames
from search_app.rendering.audio_encoder import EarlySound
from search_app.rendering.audio_track import SoundTrack
from search_app.rendering.loudness import Loudspeaker
from search_app.rendering.prefetch import Ahead
from search_app.rendering.preflight import Sighted, is_disk_full
from search_app.rendering.transitions import Blend, Transition
from search_app.rendering.verify import Placed
from search_app.rendering.work_folder import WorkFolder, piece_key

CODING_VERSION = 3
"""Raised when the same key would give other pictures."""


class HeldFramesLostError(Exception):
    """A piece was taken over, but its held-back frames are gone: the killed render had used them up."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of encoded pictures.

    Args:
        name: its name in the private folder.
        n_frames: how many frames it holds.
    """

    name: str
    n_frames: int


@dataclass(slots=True)
class _Open:
    """The end of the piece before, which waits for the next one.

    Args:
        held: its last frames, if they wait to dissolve.
        n_faded: how many of its last frames go into black.
    """

    held: Held | None = None
    n_faded: int = 0


@dataclass
class Assembly:
    """A supercut in the making.

    Args:
        program: ffmpeg.
        profile: its shape.
        blend: its transition.
        work: the folder to make it in.
        cancel: stops it when set.
        conform: cuts one clip and encodes its pictures.
        loudness_lufs: how loud each clip is made; None leaves them as they are.
        ahead: makes pieces before their turn; None if each is made in its turn.
        early_sound: codes the sound meanwhile; None if it may still change.
    """

    program: Ffmpeg
    profile: Profile
    blend: Blend
    work: WorkFolder
    cancel: threading.Event
    conform: Callable[[ClipJob], Conformed] = conform_picture
    loudness_lufs: float | None = None
    ahead: Ahead | None = None
    early_sound: EarlySound | None = None
    pieces: list[Piece] = field(default_factory=list)
    n_frames: int = 0
    n_taken_over: int = 0
    _own: set[str] = field(default_factory=set)
    _open: _Open = field(default_factory=_Open)
    _n_held: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """The sound track is begun."""
        path, listener = self.work.path / "sound.s16le", self.early_sound.add if self.early_sound else None
        self.sound = SoundTrack(path, self.profile.n_channels, on_samples=listener)

    def begin_clip(self, seen: Sighted, layers: Sequence[Layer], n_threads: int | None) -> None:
        """Have a clip encoded before it is added, where its pictures depend on no other piece."""
        if self.ahead is None or self.blend.kind is not Transition.CUT:
            return
        dress = Dress(tuple(layers), n_threads=n_threads)
        with contextlib.suppress(FfmpegError):  # what is wrong with it is said when its turn comes
            key = self._clip_key(dress, seen)
            if not self.work.has(key):
                self._own.add(key)
                self.ahead.begin(key, lambda stop, tell: self._make(key, seen, dress, stop, tell))

    def add_clip(
        self,
        seen: Sighted,
        layers: Sequence[Layer] = (),
        n_next: int | None = None,
        on_frame_count: Callable[[int], None] | None = None,
        n_threads: int | None = None,
    ) -> tuple[Placed, tuple[str, ...]]:
        """Encode a clip as the next piece.

        Args:
            seen: the clip.
            layers: what lies over it.
            n_next: expected length of the piece after it; None if it is the last.
            on_frame_count: told how many of its frames are encoded.
            n_threads: those it was begun with, if it was.

        Returns:
            The clip at its place, and warnings for people.

        Raises:
            FfmpegError: it cannot be cut, and nothing has changed; or the whole was cancelled.
            HeldFramesLostError: all must be made anew.
        """
        clip = seen.clip
        dress = self._dress(expected_frames(clip, self.profile), tuple(layers), n_next)
        if self.blend.kind is Transition.CUT:  # others are made in their turn, with all threads
            dress = replace(dress, n_threads=n_threads)
        key = self._clip_key(dress, seen)
        dress = self._with_room(dress, key)
        made = self._made(key, seen, dress, on_frame_count)
        was_held = self._open.held is not None
        first_frame = self._append(key, made.n_frames, dress)
        covered = tuple((one.left_px, one.top_px, one.width_px, one.height_px) for one in layers)
        placed = Placed(clip, seen.source, replace(seen.look, **made.stored), made, first_frame, covered)
        warnings = self._add_sound(placed)
        if was_held and not made.n_blended_first:
            warnings += (f"no {self.blend.kind} before it: it is too short for it",)
        if n_next is not None and self.blend.n_frames and not made.n_blended_last:
            warnings += (f"no {self.blend.kind} after it: it or the next one is too short for it",)
        return placed, warnings

    def _made(
        self, key: str, seen: Sighted, dress: Dress, on_frame_count: Callable[[int], None] | None
    ) -> Conformed:
        """A clip's pictures: made ahead, taken over, or made now."""
        made = self.ahead and self.ahead.take(key, on_frame_count)
        if made:
            return made
        entries = self.work.find(key)
        if entries is None:
            self._need_held()
            self._own.add(key)
            return self._make(key, seen, dress, self.cancel, on_frame_count)
        try:
            made = Conformed(**entries)
        except TypeError:  # the record of another version
            return self._make(key, seen, dress, self.cancel, on_frame_count)
        self.n_taken_over += key not in self._own
        return made

    def _make(
        self,
        key: str,
        seen: Sighted,
        dress: Dress,
        cancel: threading.Event,
        on_frame_count: Callable[[int], None] | None,
    ) -> Conformed:
        target = self.work.path / f"{key}{CLIP_SUFFIX}"
        what = (self.program, seen.clip, seen.source, seen.look, self.profile, target)
        made = self.conform(ClipJob(*what, dress, cancel, on_frame_count))
        self.work.finish(key, asdict(made))
        return made

    def add_card(
        self,
        picture: Path,
        digest: str,
        n_frames: int,
        n_next: int | None = None,
        on_frame_count: Callable[[int], None] | None = None,
    ) -> None:
        """Encode a still picture of the profile's size, without sound, as the next piece.

        Raises:
            FfmpegError: it was cancelled.
            HeldFramesLostError: all must be made anew.
        """
        dress = self._dress(n_frames, (), n_next)
        key = self._key(dress, digest, n_frames)
        dress = self._with_room(dress, key)
        if self.work.find(key) is None:
            self._need_held()
            target = self.work.path / f"{key}{CLIP_SUFFIX}"
            shown = dress.encode(still(picture, n_frames, self.profile), n_frames, self.profile, target)
            limits = encoder_limits(self.profile.encoder)
            self.program.run(shown, limits=limits, cancel=self.cancel, on_frame_count=on_frame_count)
            self.work.finish(key, {})
        first_frame = self._append(key, n_frames, dress)
        start, end = self._samples(first_frame), self._samples(first_frame + n_frames)
        self.sound.add(None, start, end - start)

    def close(self) -> None:
        """End the last piece; frames that waited for one that never came are encoded as they are."""
        self._flush()

    def _dress(self, n_own: int, layers: tuple[Layer, ...], n_next: int | None) -> Dress:
        """Overlays and fades of a piece of some length; held-back frames have no path yet."""
        if self._open.held and not self.blend.between(n_own, n_own):
            self._flush()
        n_out = 0 if n_next is None else self.blend.between(n_own, n_next)
        if self.blend.kind is Transition.DISSOLVE:
            hold_back = Held(Path(), n_out) if n_out else None
            return Dress(layers, before=self._open.held, hold_back=hold_back)
        return Dress(layers, self._open.n_faded, n_out)

    def _clip_key(self, dress: Dress, seen: Sighted) -> str:
        clip = seen.clip
        return self._key(dress, clip.video_id, _identity(seen.source), clip.span, clip.facts, asdict(seen.look))

    def _key(self, dress: Dress, *parts: object) -> str:
        before = dress.before and (dress.before.path.stem, dress.before.n_frames)
        ends = (dress.fade_frames_in, dress.fade_frames_out, before, dress.n_blended_last)
        layers = [layer.key for layer in dress.layers]
        # The encoder's decisions depend on its threads; what is encoded beside copied packets has all.
        made_by = (
            CODING_VERSION,
            self.program.version,
            self.conform.__qualname__,
            dress.n_threads,
            thread_count(),
        )
        key = piece_key(made_by, self.profile, ends, layers, *parts)
        if dress.hold_back is None:
            return key
        self._n_held[key] += (
            1  # the same clip again needs held-back frames of its own: the next piece uses them up
        )
        return piece_key(key, self._n_held[key])

    def _with_room(self, dress: Dress, key: str) -> Dress:
        if dress.hold_back is None:
            return dress
        return replace(dress, hold_back=Held(self.work.path / f"{key}.held", dress.hold_back.n_frames))

    def _append(self, key: str, n_frames: int, dress: Dress) -> int:
        """Take a finished piece into the film; returns the number of its first frame."""
        if self._open.held:
            if not dress.fits(n_frames):
                self._flush()  # it turned out shorter than expected, and was encoded without them
            else:
                self._open.held.path.unlink(missing_ok=True)
        first_frame = self.n_frames
        hold_back = dress.hold_back if dress.fits(n_frames) else None
        self._open = _Open(hold_back, dress.fade_frames_out if dress.fits(n_frames) else 0)
        self._count(Piece(f"{key}{CLIP_SUFFIX}", n_frames - (hold_back.n_frames if hold_back else 0)))
        return first_frame

    def _count(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.n_frames += piece.n_frames

    def _need_held(self) -> None:
        if self._open.held and not self._open.held.path.exists():
            raise HeldFramesLostError

    def _flush(self) -> None:
        """Encode frames that were held back for a piece that cannot take them."""
        held = self._open.held
        if held:
            self._need_held()
            name = f"{held.path.stem}-end{CLIP_SUFFIX}"
            shown = encode_held(held, self.profile, self.work.path / name)
            self.program.run(shown, limits=encoder_limits(self.profile.encoder), cancel=self.cancel)
            self._count(Piece(name, held.n_frames))
        self._open = _Open()

    def _samples(self, frame: int) -> int:
        """Places are rounded, not lengths, so that no error adds up."""
        return round(frame / self.profile.frame_rate * self.profile.sample_rate)

    def _add_sound(self, placed: Placed) -> tuple[str, ...]:
        made = placed.conformed
        start, end = self._samples(placed.first_frame), self._samples(placed.last_frame + 1)
        piece = self.work.path / "piece.s16le"
        warnings: tuple[str, ...] = ()
        what = (self.program, placed.clip, placed.source, placed.look, self.profile, piece)
        job = ClipJob(*what, cancel=self.cancel)
        try:
            conform_sound(job, made.zero_tick, end - start)
        except FfmpegError as error:
            if self.cancel.is_set() or is_disk_full(error):
                raise
            piece.unlink(missing_ok=True)
            warnings = (f"its sound cannot be read, silence instead: {error}",)
            silent = replace(placed.clip, facts=replace(placed.clip.facts, has_audio=False))
            conform_sound(replace(job, clip=silent), made.zero_tick, end - start)
        gain = 1.0
        if self.loudness_lufs is not None:
            try:
                gain = Loudspeaker(self.program, self.profile, self.cancel).level_gain(piece, self.loudness_lufs)
            except FfmpegError as error:  # its pictures are in the film by now
                if self.cancel.is_set() or is_disk_full(error):
                    raise
                warnings += (f"its sound cannot be measured, and is as loud as it was: {error}",)
        is_dip = self.blend.kind is Transition.DIP
        fades = (made.n_blended_first, made.n_blended_last) if is_dip else (0, 0)
        self.sound.add(
            piece, start, end - start, fade_in=self._samples(fades[0]), fade_out=self._samples(fades[1]), gain=gain
        )
        piece.unlink()
        return warnings


def expected_frames(clip: Clip, profile: Profile) -> int:
    """Length of a clip, in frames of the profile."""
    return film_frames(clip.span, clip.facts, profile.frame_rate)


def _identity(source: Path) -> tuple[int, int]:
    """Changes when a file is written to; an FfmpegError says that it has gone."""
    try:
        status = source.stat()
    except OSError as error:
        raise FfmpegError(f"{source}: {error.strerror or error}") from error
    return status.st_size, status.st_mtime_ns
