"""The listener of speech: windows, channels, times, going on after an interruption."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.media.audio import AudioBlock
from indexer.models.transcriber import LONGEST_SECONDS, SPEECH_RATE_HZ, Passage
from indexer.stages.sentences import Sentence
from indexer.stages.speech import SpeechSettings, SpeechStage
from indexer.stages.speech_windows import group_channels, join_groups, overlap, sound_alike
from indexer.stages.stage import HeardStretch
from indexer.stages.window_speech import SaidSentence, without_copies
from indexer.stages.word_times import TimedWord
from store.records import TextRow
from store.shot_outcomes import ShotState
from store.timespan import TimeSpan
from tests.spoken_sound import FakeFinder, FakeTranscriber, speak, word_of

Samples = np.ndarray[tuple[int, int], np.dtype[np.float32]]


def stage_of(model: FakeTranscriber, settings: SpeechSettings | None = None) -> SpeechStage:
    return SpeechStage(settings or SpeechSettings(use_subtitles=False), model, FakeFinder())


def hear(
    sound: Samples,
    start: Fraction = Fraction(0),
    model: FakeTranscriber | None = None,
    end: Fraction | None = None,
) -> list[HeardStretch]:
    """All stretches of a sound whose first sample lies at 0, heard from a start on."""
    end = end or Fraction(sound.shape[1], SPEECH_RATE_HZ)
    listener = stage_of(model or FakeTranscriber()).listen_to("none.mp4", TimeSpan(Fraction(0), end), start)
    assert listener.wants_sound
    stretches: list[HeardStretch] = []
    for first in range(round(start * SPEECH_RATE_HZ), sound.shape[1], SPEECH_RATE_HZ):
        block = AudioBlock(first, SPEECH_RATE_HZ, sound[:, first : first + SPEECH_RATE_HZ])
        stretches += listener.take(block)
    return [*stretches, *listener.end(end)]


def rows(stretches: Iterable[HeardStretch]) -> list[TextRow]:
    return [row for stretch in stretches for row in stretch.result.rows]


def said(stretches: Iterable[HeardStretch]) -> list[tuple[str, float, float]]:
    """Every word with its times."""
    return [
        (word.text, round(word.start_seconds, 3), round(word.end_seconds, 3))
        for row in rows(stretches)
        for word in row.words
    ]


def layout(gaps: list[float]) -> tuple[list[tuple[int, float, float]], float]:
    """Words of 0.4 s with these silences before them, and when the last one has ended."""
    words, at = [], 0.0
    for number, gap in enumerate(gaps, start=1):
        at = round(at + gap, 2)
        words.append((number, at, round(at + 0.4, 2)))
        at = round(at + 0.4, 2)
    return words, at


@settings(max_examples=25)
@given(st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.0, 4.0, 20.0]), min_size=1, max_size=200))
def test_every_word_is_heard_once_at_its_time(gaps: list[float]) -> None:
    """Wherever windows are cut; stretches touch, and cover all of the video."""
    words, end = layout(gaps)
    sound = speak(words, end + 1.0)[None]
    stretches = hear(sound)
    assert [(word_of(number), start, stop) for number, start, stop in words] == said(stretches)
    edges = [edge for one in stretches for edge in (one.span.start, one.span.end)]
    assert [Fraction(0), *edges[1:-1:2]] == edges[::2]
    assert Fraction(sound.shape[1], SPEECH_RATE_HZ) == edges[-1]


@settings(max_examples=4)
@given(st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.0, 4.0]), min_size=80, max_size=160))
def test_going_on_where_a_run_was_interrupted_gives_the_same(gaps: list[float]) -> None:
    """From the end of any stretch: nothing of the windows before is remembered."""
    words, end = layout(gaps)
    sound = speak(words, end + 1.0)[None]
    stretches = hear(sound)
    for number, stretch in enumerate(stretches[:-1], start=1):
        assert stretches[number:] == hear(sound, stretch.span.end)


def test_of_a_block_that_began_before_the_rest_is_heard() -> None:
    """Where several stages listen, one of them may need sound that another has heard already."""
    sound = speak([(1, 0.2, 0.6), (2, 1.2, 1.6), (3, 2.2, 2.6)], 4.0)[None]
    start = Fraction(3, 2)
    listener = stage_of(FakeTranscriber()).listen_to("none.mp4", TimeSpan(Fraction(0), Fraction(4)), start)
    for first in range(SPEECH_RATE_HZ, sound.shape[1], SPEECH_RATE_HZ):
        listener.take(AudioBlock(first, SPEECH_RATE_HZ, sound[:, first : first + SPEECH_RATE_HZ]))
    assert [("W2", 1.5, 1.6), ("W3", 2.2, 2.6)] == said(listener.end(Fraction(4)))


def test_windows_are_bounded_and_cut_in_silence() -> None:
    """The model never hears more than half a minute, nor half a word."""
    words, end = layout([0.2] * 400)
    model = FakeTranscriber()
    stretches = hear(speak(words, end)[None], model=model)
    assert max(model.heard_seconds) <= LONGEST_SECONDS
    assert len(stretches) >= 8
    assert [word_of(number) for number, _, _ in words] == [word for word, _, _ in said(stretches)]


def test_memory_is_bounded() -> None:
    """A listener holds half a minute and a block, however long it listens."""
    listener = stage_of(FakeTranscriber()).listen_to("none.mp4", TimeSpan(Fraction(0), Fraction(36_000)))
    silent = np.zeros((2, SPEECH_RATE_HZ), np.float32)
    most = 0
    for second in range(600):
        listener.take(AudioBlock(second * SPEECH_RATE_HZ, SPEECH_RATE_HZ, silent))
        most = max(most, sum(held.shape[1] for held in listener._held))  # type: ignore[attr-defined]
    assert most <= (LONGEST_SECONDS + 1) * SPEECH_RATE_HZ


def test_a_sentence_is_one_row_though_a_window_ends_in_it() -> None:
    """The window ends after the last whole sentence; the next one hears the rest from its beginning."""
    gaps = [0.1 if number % 10 else 0.6 for number in range(60)]
    words, end = layout(gaps)
    found = [row.text for row in rows(hear(speak(words, end + 0.5)[None]))]
    assert [" ".join(word_of(n) for n in range(first, first + 10)) for first in range(1, 60, 10)] == found


def test_channels_that_differ_are_heard_apart() -> None:
    """Each row says its channel, and times are those of its channel."""
    left, right = speak([(11, 1.0, 1.5), (12, 1.6, 2.0)], 4.0), speak([(20, 2.2, 2.8)], 4.0)
    found = rows(hear(np.stack([left, right])))
    assert [("W11 W12", [0]), ("W20.", [1])] == [(row.text, (row.payload or {})["channels"]) for row in found]


@pytest.mark.parametrize("other", ["same", "upside down", "silent"])
def test_channels_that_hold_the_same_are_heard_once(other: str) -> None:
    """A stereo recording is one; a channel that is upside down cancels nothing; a silent one is no microphone."""
    left = speak([(11, 1.0, 1.5), (20, 1.6, 2.0)], 4.0)
    right = {"same": left, "upside down": -left, "silent": 0 * left}[other]
    model = FakeTranscriber()
    found = rows(hear(np.stack([left, right]), model=model))
    assert ["W11 W20."] == [row.text for row in found]
    assert "channels" not in (found[0].payload or {})
    assert 1 == len(model.heard_seconds)


def test_speech_in_the_middle_of_wide_music_is_heard_once() -> None:
    """The sides of such a film differ, but not while somebody speaks."""
    rng = np.random.default_rng(1)
    speech = np.zeros(20 * SPEECH_RATE_HZ, np.float32)
    speech[SPEECH_RATE_HZ : 3 * SPEECH_RATE_HZ] = rng.standard_normal(2 * SPEECH_RATE_HZ)
    sides = np.stack([speech + rng.standard_normal(len(speech)).astype(np.float32) * 0.6 for _ in range(2)])
    left, right = group_channels(sides)
    assert sound_alike(left.sound, right.sound, [(1.0, 3.0)])
    assert not sound_alike(left.sound, right.sound, [(4.0, 20.0)])
    assert not sound_alike(left.sound, right.sound, [])
    whole = join_groups(left, right)
    assert ((0, 1), True) == (whole.channels, np.allclose(whole.sound, sides.mean(axis=0), atol=1e-6))
    assert [(1.5, 2.0), (3.0, 3.5)] == overlap([(1.0, 2.0), (3.0, 4.0)], [(1.5, 2.5), (2.8, 3.5)])


def test_a_voice_on_two_microphones_is_written_once() -> None:
    """The surer copy stays, though not every word is the same; what is said at another time is no copy."""

    def sentence(text: str, start: float, channel: int, probability: float) -> SaidSentence:
        words = tuple(
            TimedWord(f" {word}", start + n / 2, start + n / 2 + 0.4, probability)
            for n, word in enumerate(text.split())
        )
        return SaidSentence(Sentence(words), Passage(()), "en", None, (channel,))

    one = sentence("We are leaving the harbour now.", 1.0, 0, 0.7)
    other = sentence("We are leaving the harbor now.", 1.1, 1, 0.9)
    later = sentence("We are leaving the harbour now.", 9.0, 1, 0.9)
    answer = sentence("Not without me, you are not.", 1.2, 1, 0.9)
    assert [other, later] == without_copies([one, other, later])
    assert [one, answer] == without_copies([one, answer])


def test_each_window_has_its_language() -> None:
    """Mixed languages stay apart, row by row; what was not detected has no probability."""
    words = [(1, 1.0, 1.4), (2, 14.0, 14.4), (3, 40.0, 40.4)]
    found = rows(hear(speak(words, 45.0)[None], model=FakeTranscriber(languages={3: "de"})))
    assert [("W1", "en"), ("W2", "en"), ("W3", "de")] == [(row.text, row.language) for row in found]
    assert all((row.payload or {})["language_probability"] == 0.9 for row in found)


def test_silence_and_no_sound_are_told_apart_and_give_no_rows() -> None:
    """Nothing is there, and the reason says why."""
    assert [(ShotState.NOTHING, "silence")] == [
        (one.result.state, one.result.reason) for one in hear(np.zeros((1, 5 * SPEECH_RATE_HZ), np.float32))
    ]
    listener = stage_of(FakeTranscriber()).listen_to("none.mp4", TimeSpan(Fraction(0), Fraction(7)))
    (only,) = listener.end(Fraction(7))
    assert (TimeSpan(Fraction(0), Fraction(7)), ShotState.NOTHING, "no sound") == (
        only.span,
        only.result.state,
        only.result.reason,
    )


def test_what_is_taken_for_invented_is_counted() -> None:
    """No row, and no silence about it."""
    sound = speak([(1, 1.0, 1.4)], 3.0)[None]
    (only,) = hear(sound, model=FakeTranscriber(Passage((), compression=9.0), is_multilingual=False))
    assert (ShotState.NOTHING, "1 left out: the model repeats itself (made-up knows English only)") == (
        only.result.state,
        only.result.reason,
    )


def test_sound_beyond_the_pictures_is_no_part_of_the_video() -> None:
    """Rows lie inside their video, but for a second."""
    words = [(1, 1.0, 1.4), (2, 9.0, 9.4)]
    stretches = hear(speak(words, 12.0)[None], end=Fraction(5))
    assert ["W1"] == [row.text for row in rows(stretches)]
    assert Fraction(5) == stretches[-1].span.end


def test_the_run_says_everything_that_decides_the_result() -> None:
    """Another setting is another run; the same is the same."""
    plain = stage_of(FakeTranscriber()).run
    assert plain == stage_of(FakeTranscriber()).run
    others = [
        SpeechSettings(language="de"),
        SpeechSettings(task="translate"),
        SpeechSettings(hot_words=("ComfyUI",)),
        SpeechSettings(channels="mix"),
        SpeechSettings(beam_size=1),
    ]
    assert 6 == len({plain.key, *(stage_of(FakeTranscriber(), one).run.key for one in others)})
    assert "transcript" == plain.stage


@pytest.mark.parametrize(
    "wrong",
    [
        {"engine": "other"},
        {"task": "summarize"},
        {"channels": "left"},
        {"beam_size": 0},
        {"model": " "},
        {"hot_words": ("",)},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    """Before a model is loaded."""
    with pytest.raises(ValueError, match=next(iter(wrong)).split("_")[0]):
        SpeechSettings(**wrong)  # type: ignore[arg-type]
