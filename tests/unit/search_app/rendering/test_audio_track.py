"""The sound of a whole supercut, piece after piece."""

from pathlib import Path

from search_app.rendering.audio_track import SoundTrack


def test_nothing_of_an_older_attempt_is_left(tmp_path: Path) -> None:
    """A track begins anew, also where a longer one lies."""
    path = tmp_path / "sound.s16le"
    path.write_bytes(b"old" * 100)
    track = SoundTrack(path, n_channels=2)
    track.add(None, 0, 5)
    track.add(None, 5, 5)
    assert bytes(10 * 2 * 2) == path.read_bytes()
