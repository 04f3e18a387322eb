"""Settings of the labels; nothing heavy is imported for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CLASSIFIER: Final = "classifier"
ZERO_SHOT: Final = "zero-shot"


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """Settings of the labels.

    Args:
        method: `classifier`, which looks at pictures, or `zero-shot`, which compares prompts with the vectors that
            are there.
        model: of the classifier: ORG/NAME of the hub, a folder, or efficientnet-lite2; empty for the default.
        n_frames: pictures of each shot that the classifier looks at.
        n_labels: labels of a shot at most.
        lowest_score: labels that are less likely are left out.
        prompts_file: of zero-shot: labels, one a line; empty for everyday ones, those of configs/labels.txt.
        several: of zero-shot: whether a frame may have several labels.
        batch_size: pictures that the classifier takes at once.
    """

    method: str = CLASSIFIER
    model: str = ""
    n_frames: int = 3
    n_labels: int = 5
    lowest_score: float = 0.05
    prompts_file: str = ""
    several: bool = False
    batch_size: int = 16

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.method not in (CLASSIFIER, ZERO_SHOT):
            raise ValueError(f"method must be {CLASSIFIER} or {ZERO_SHOT}")
        if not 1 <= self.n_frames <= 64 or not 1 <= self.n_labels <= 100 or self.batch_size < 1:
            raise ValueError("n_frames must be 1 to 64, n_labels 1 to 100, batch_size 1 or more")
        if not 0 <= self.lowest_score < 1:
            raise ValueError("lowest_score must be 0 or more, and less than 1")
