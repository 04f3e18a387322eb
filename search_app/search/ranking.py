"""Ranked shots: what a search gives back, and the candidates on the way there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from search_app.confidence.certainty import MEDIUM_FROM, Certainty, certainty_of, words_of
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from search_app.search.fusion import Fused, Match
    from store.records import ShotRow


@dataclass(frozen=True, slots=True)
class StepHit:
    """One step of a question in order of time, and the shot that answers it.

    Args:
        shot: the shot.
        time: presentation time of the frame that answers, in seconds.
        score: its cosine with the step.
        confidence: how surely it shows what the step asks for, 0 to 1; 1 for a step of filters alone.
    """

    shot: ShotRow
    time: Fraction
    score: float
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A shot, or a moment of several neighbouring shots, that answers a question.

    Args:
        rank: place among the answers, from 1.
        score: cosine of its best frame with the question, -1 to 1; 0 for a question of filters alone. The order
            follows `relevance`, in which other channels have a vote too.
        shot: the shot; of a moment, its best one.
        time: exact presentation time of the best frame in seconds.
        thumbnail: absolute path of the best frame's picture.
        relevance: the joined vote of all channels; 0 beyond the shots that take part in the fusion.
        confidence: the probability that it shows what was asked for, between 0 and 1. None for a question of
            filters alone, and where the archive holds too little to say.
        matches: which channels found it, the strongest vote first.
        members: all shots of the moment in order of time, the hit's own shot included.
        stack: further shots that show the same picture, best first.
        steps: for a question in order of time, what answers each step.
        is_measured: whether the question has a meaning that shots can fail; False for filters alone.
        is_calibrated: whether the confidence was fitted for the archive's encoder; else it is a cautious guess, to
            be given in words only.
    """

    rank: int
    score: float
    shot: ShotRow
    time: Fraction
    thumbnail: str
    relevance: float = 0.0
    confidence: float | None = None
    matches: tuple[Match, ...] = ()
    members: tuple[ShotRow, ...] = ()
    stack: tuple[ShotRow, ...] = ()
    steps: tuple[StepHit, ...] = ()
    is_measured: bool = True
    is_calibrated: bool = True

    @property
    def certainty(self) -> Certainty | None:
        """Confidence in words; None for a question of filters alone, which every hit answers."""
        return certainty_of(self.confidence) if self.is_measured else None

    def sure_text(self, sure: str = "") -> str:
        """Confidence as people read it, such as `93 %, high`; empty for a question of filters alone.

        Args:
            sure: what follows the number.
        """
        if not self.is_measured:
            return ""
        return words_of(self.confidence, is_calibrated=self.is_calibrated, sure=sure)

    @property
    def is_found_by_words(self) -> bool:
        """Whether words of the question stand in a text of the shot, or name its file."""
        return are_found_by_words(self.matches)

    @property
    def is_match(self) -> bool:
        """Whether it counts as an answer, and not only as the nearest there is."""
        return self.reaches(MEDIUM_FROM)

    def reaches(self, min_confidence: float) -> bool:
        """Whether it is at least so sure; what words found, or filters alone, always is."""
        if not self.is_measured or self.is_found_by_words:
            return True
        return self.confidence is not None and self.confidence >= min_confidence

    @property
    def span(self) -> TimeSpan:
        """From the start of its first shot to the end of its last."""
        if not self.members:
            return self.shot.shot.span
        return TimeSpan(self.members[0].shot.span.start, self.members[-1].shot.span.end)

    @property
    def play_seconds(self) -> float:
        """Where to begin to play: at the word that was found, where words were said; else at the start.

        In seconds of the video. A phrase that began before the hit plays from the start of the hit.
        """
        span = self.span
        said = (match.found_seconds for match in self.matches)
        inside = (at for at in said if at is not None and span.start_seconds <= at < span.end_seconds)
        return next(inside, span.start_seconds)

    @property
    def parts(self) -> tuple[Hit, ...]:
        """Of a question in order of time a hit for each step, since each is a shot of its own; else the hit."""
        if not self.steps:
            return (self,)
        return tuple(
            replace(self, score=step.score, shot=step.shot, time=step.time, members=(), steps=())
            for step in self.steps
        )


def are_found_by_words(matches: Iterable[Match]) -> bool:
    """Whether words of the question stand in a text of a shot, or name its file."""
    return any(match.words for match in matches)


@dataclass(slots=True)
class Candidates:
    """Shots on their way to becoming hits, and what happened to each.

    Args:
        order: shot ids, best first.
        relevance: joined vote of each.
        matches: which channels found each.
        members: for the shot that stands for a moment, all shots of it.
        stacks: for the shot that stands for a stack, the others.
        removed: for each shot that was taken out, by what.
        stages: name of each stage and the order after it.
    """

    order: list[str]
    relevance: dict[str, float] = field(default_factory=dict)
    matches: dict[str, tuple[Match, ...]] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stacks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    removed: dict[str, str] = field(default_factory=dict)
    stages: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    @classmethod
    def of_fused(cls, fused: Sequence[Fused]) -> Candidates:
        """The outcome of a fusion."""
        return cls(
            [one.shot_id for one in fused],
            {one.shot_id: one.relevance for one in fused},
            {one.shot_id: one.matches for one in fused},
        )

    def finish_stage(self, name: str) -> None:
        """Note the order after a stage."""
        self.stages.append((name, tuple(self.order)))

    def remove(self, shot_ids: Iterable[str], by: str) -> None:
        """Take shots out."""
        gone = set(shot_ids) & set(self.order)
        self.removed.update(dict.fromkeys(gone, by))
        self.order = [shot_id for shot_id in self.order if shot_id not in gone]

    def put_first(self, levels: Mapping[str, int]) -> None:
        """Put some shots before all others, the higher their level the sooner; else the order stays.

        Their votes are raised by those of the best shot for each level, so that votes still say the order.
        """
        top = max(self.relevance.values(), default=0.0)
        self.order.sort(key=lambda shot_id: -levels.get(shot_id, 0))
        self.relevance.update(
            {shot_id: self.relevance[shot_id] + level * top for shot_id, level in levels.items()}
        )

    def note_words(self, shot_id: str, channel: str, text: str, words: tuple[str, ...]) -> None:
        """Note which words a channel found that knows the shot already."""
        self.matches[shot_id] = tuple(
            replace(match, text=text, words=words) if match.channel == channel else match
            for match in self.matches[shot_id]
        )

    def gather(self, groups: Sequence[Sequence[str]], into: dict[str, tuple[str, ...]], by: str) -> None:
        """Let one shot of each group, the best ranked, stand for all of it.

        Args:
            groups: shot ids of all candidates, each in exactly one group.
            into: where to note the groups of more than one, under the shot that stands for them.
            by: what to say of the others, before the name of the shot that stands for them.
        """
        places = {shot_id: place for place, shot_id in enumerate(self.order)}
        gone: dict[str, str] = {}
        for group in groups:
            if len(group) > 1:
                first = min(group, key=places.__getitem__)
                into[first] = tuple(group)
                gone.update({shot_id: f"{by} {first}" for shot_id in group if shot_id != first})
        self.removed.update(gone)
        self.order = [shot_id for shot_id in self.order if shot_id not in gone]
