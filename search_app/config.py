"""Every setting of searching, bound to the tables of a TOML file; configs/search.toml lists them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from store.stages import text_stages


def default_weights() -> dict[str, float]:
    """Weight of each channel's vote in the fusion; 0 switches a channel off.

    `picture` compares sampled frames with the question, `name` is words of file and folder names and of metadata;
    all others are words, and for some the meaning, of the texts of a stage.
    """
    stages = text_stages()
    words = {stage.name: stage.weight for stage in stages}
    meanings = {stage.meaning_channel: stage.meaning_weight for stage in stages if stage.meaning_weight > 0}
    return {"picture": 1.0, **words, "name": 0.4, **meanings}


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """Settings of joining and thinning out rankings.

    Args:
        rank_constant: the k of reciprocal rank fusion: the larger, the less the first places stand out.
        pool: how many shots of each channel take part; deeper pages follow the picture channel alone.
        word_share: the share of a question's words that a text channel must find in a row to have a vote.
        name_share: the share of its weight that a name keeps where pictures show what is asked.
        meaning_standing: by how many standard deviations a caption or a spoken text has to be nearer to the
            question than neutral texts are to each other, to have a vote by its meaning.
        merge_share: a neighbour joins a moment if it scores at least this share of the moment's best shot,
            both counted from the archive's mean score.
        stack_distance: two frames are the same picture if their distance (1 - cosine) is at most this share of
            the mean distance between frames of the archive.
        blank_sharpness: frames below this variance of the Laplacian are blank and never stacked.
    """

    rank_constant: float = 60.0
    pool: int = 500
    word_share: float = 0.5
    name_share: float = 0.25
    meaning_standing: float = 2.0
    merge_share: float = 0.7
    stack_distance: float = 0.12
    blank_sharpness: float = 4.0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        if self.rank_constant < 0 or self.pool < 1 or self.blank_sharpness < 0:
            raise ValueError("rank_constant and blank_sharpness must be 0 or more, and pool at least 1")
        if not all(0 <= share <= 1 for share in (self.word_share, self.merge_share, self.stack_distance)):
            raise ValueError("word_share, merge_share and stack_distance must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class FeedbackSettings:
    """Rocchio's weights: of the question, of the kept shots and of the rejected ones.

    Args:
        question: weight of the question itself.
        kept: weight of the mean of what was kept.
        rejected: weight of the mean of what was rejected.
    """

    question: float = 1.0
    kept: float = 0.75
    rejected: float = 0.15


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """All settings of searching, one table each."""

    weights: Mapping[str, float] = field(default_factory=default_weights)
    ranking: RankingSettings = field(default_factory=RankingSettings)
    feedback: FeedbackSettings = field(default_factory=FeedbackSettings)

    def __post_init__(self) -> None:
        """Refuse weights that would turn a ranking upside down."""
        if any(weight < 0 for weight in self.weights.values()):
            raise ValueError("a weight must be 0 or more")
