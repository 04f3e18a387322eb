"""The sound of a finished film made as loud as is asked for, and a bed of music under it.

Loudness is that of EBU R128: the integrated loudness of ITU-R BS.1770, in LUFS. The film's gain follows from its
measured loudness; a limiter then keeps true peaks under -1 dBTP. It works at four times the sample rate, so that
peaks between samples are seen. What the limiter took is measured again and made up for, once or twice.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, Stream, combine, discard, open_own, open_source, save
from search_app.conforming.target_profile import Profile
from search_app.errors import RenderError
from store.limited import open_regular

TOLERANCE_LU = 1.0
TRUE_PEAK = 0.89
"""-1 dBTP, as a share of full scale."""

SILENCE_LUFS = -60.0
"""Quieter than this is noise: it is left as it is."""

MOST_GAIN_DB = 30.0
MOST_CLIP_GAIN_DB = 15.0
"""More would bring up the noise of a clip, not its sound."""

N_PASSES = 3
MUSIC_LUFS = -26.0
"""Loudness of the bed where nothing else is heard, before the film as a whole is made louder or quieter."""

MUSIC_FADE_SECONDS = 2
_OVERSAMPLED = 192_000
_MUSIC_DEMUXERS = "mov,matroska,mp3,wav,flac,ogg,aac,aiff"
_INTEGRATED = re.compile(r"^\s*(?:\[[^\]]*\] ?)*\s*I:\s+(-?[\d.]+|-inf|nan) LUFS")
_PEAK = re.compile(r"^\s*(?:\[[^\]]*\] ?)*\s*Peak:\s+(-?[\d.]+|-inf|nan) dBFS")


@dataclass(frozen=True, slots=True)
class Loudness:
    """Loudness of a sound.

    Args:
        integrated_lufs: over its whole length; -inf for silence.
        true_peak_db: its highest peak, relative to full scale; -inf for silence.
    """

    integrated_lufs: float
    true_peak_db: float


@dataclass(frozen=True, slots=True)
class Loudspeaker:
    """Works on raw samples of one shape.

    Args:
        program: ffmpeg.
        profile: gives sample rate and channels.
        cancel: stops it when set.
    """

    program: Ffmpeg
    profile: Profile
    cancel: threading.Event | None = None

    def measure(self, samples: Path) -> Loudness:
        """Loudness of samples, by ffmpeg's `ebur128`."""
        integrated, peak = float("-inf"), float("-inf")

        def read(line: str) -> None:
            nonlocal integrated, peak
            if found := _INTEGRATED.search(line):
                integrated = float(found[1])
            elif found := _PEAK.search(line):
                peak = float(found[1])

        heard = self._open(samples).filter("ebur128", peak="true", framelog="quiet")
        self.program.run(discard([heard]), cancel=self.cancel, on_line=read)
        return Loudness(integrated, peak)

    def level(self, samples: Path, target_lufs: float) -> Loudness:
        """Make samples as loud as asked for, in place and of the same length; silence stays silence.

        Returns:
            How loud they are then; content with few peaks that are far above the rest may stay quieter.
        """
        now = self.measure(samples)
        original, gain_db = samples.with_suffix(".quiet"), 0.0
        if now.integrated_lufs < SILENCE_LUFS:
            return now
        samples.rename(original)
        for _ in range(N_PASSES):
            gain_db = min(MOST_GAIN_DB, gain_db + target_lufs - now.integrated_lufs)
            louder = self._open(original).filter("volume", f"{gain_db:.3f}dB", precision="float")
            self._write(self._limited(louder), samples, original)
            now = self.measure(samples)
            if abs(now.integrated_lufs - target_lufs) <= TOLERANCE_LU / 4:
                break
        original.unlink()
        return now

    def add_music(self, samples: Path, music: Path, n_samples: int) -> None:
        """Lay music under samples, in place: looped or cut to their length, faded out, quieter where they sound.

        Raises:
            RenderError: there is no sound in the music file that can be read.
        """
        bed, mixed = samples.with_name("music.s16le"), samples.with_name("mixed.s16le")
        self._decode(music, bed, n_samples)
        now = self.measure(bed)
        gain_db = MUSIC_LUFS - now.integrated_lufs if now.integrated_lufs > SILENCE_LUFS else 0.0
        n_fade = min(n_samples, MUSIC_FADE_SECONDS * self.profile.sample_rate)
        under = (
            self._open(bed, stream_loop=-1)
            .filter("atrim", end_sample=n_samples)
            .filter("volume", f"{gain_db:.3f}dB")
            .filter("afade", type="out", start_sample=n_samples - n_fade, nb_samples=n_fade)
        )
        # Every stream goes on without end and only the mix is cut: else how much of the last block is mixed before
        # an input ends depends on which of ffmpeg's threads is first, and two runs would differ.
        film = self._open(samples).filter("apad").asplit()
        ducked = combine(
            [under.filter("apad"), film[0]],
            "sidechaincompress",
            threshold=0.02,
            ratio=8,
            attack=50,
            release=600,
            makeup=1,
        )
        both = combine([film[1], ducked], "amix", inputs=2, normalize=0).filter("atrim", end_sample=n_samples)
        self._write(both, mixed, samples)
        mixed.replace(samples)
        bed.unlink()

    def check_music(self, music: Path) -> None:
        """Refuse a music file that does not begin like one.

        Raises:
            RenderError: there is no sound in it that can be read.
        """
        try:
            os.close(open_regular(music))  # a pipe would be waited for
        except OSError as error:
            reason = error.strerror or error
            raise RenderError(f"cannot read the music {music}: {reason}; give an audio file") from error
        with TemporaryDirectory(prefix="rushes-music-") as folder:
            self._decode(music, Path(folder) / "begin.s16le", self.profile.sample_rate)

    def level_gain(self, samples: Path, target_lufs: float) -> float:
        """By what to multiply the samples of one clip so that it is as loud as asked for, without clipping."""
        now = self.measure(samples)
        if now.integrated_lufs < SILENCE_LUFS:
            return 1.0
        wanted_db = max(-MOST_CLIP_GAIN_DB, min(MOST_CLIP_GAIN_DB, target_lufs - now.integrated_lufs))
        return float(10 ** (min(wanted_db, max(0.0, -1 - now.true_peak_db)) / 20))

    def _decode(self, music: Path, bed: Path, n_samples: int) -> None:
        """The music's first samples, as many as the film can need."""
        shape = self.profile
        sound = (
            open_source(music, format_whitelist=_MUSIC_DEMUXERS, vn=None)["a:0"]
            .filter("aresample", shape.sample_rate)
            .filter("aformat", sample_fmts="s16", channel_layouts=shape.channel_layout)
            .filter("atrim", end_sample=n_samples)
        )
        try:
            self.program.run(save([sound], bed, format="s16le", **{"c:a": "pcm_s16le"}), cancel=self.cancel)
        except FfmpegError as error:
            if self.cancel and self.cancel.is_set():
                raise
            raise RenderError(f"cannot read the music {music}: {error}; give an audio file") from error
        if not bed.stat().st_size:
            raise RenderError(f"the music {music} holds no sound: give another file")

    def _open(self, samples: Path, **options: object) -> Stream:
        shape = self.profile
        return open_own(samples, format="s16le", ar=shape.sample_rate, ch_layout=shape.channel_layout, **options)[
            "a:0"
        ]

    def _limited(self, sound: Stream) -> Stream:
        return (
            sound.filter("aresample", _OVERSAMPLED)
            .filter("alimiter", limit=TRUE_PEAK, attack=5, release=50, level=0, latency=1)
            .filter("aresample", self.profile.sample_rate)
        )

    def _write(self, sound: Stream, target: Path, like: Path) -> None:
        """Samples as long as those of another file: what resampling adds or lacks at the end is evened out."""
        shaped = sound.filter("aformat", sample_fmts="s16", channel_layouts=self.profile.channel_layout)
        self.program.run(save([shaped], target, format="s16le", **{"c:a": "pcm_s16le"}), cancel=self.cancel)
        with target.open("ab") as stream:
            stream.truncate(like.stat().st_size)
