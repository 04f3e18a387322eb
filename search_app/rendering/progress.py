"""Progress of a rendering, told by frames, and the time of each stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from search_app.rendering.outcomes import RenderProgress, RenderStage

_SHARES = {RenderStage.PREFLIGHT: 0.03, RenderStage.CLIPS: 0.75, RenderStage.JOIN: 0.04, RenderStage.VERIFY: 0.18}
"""Share of each stage in the whole time."""


def share_of(stage: RenderStage) -> float:
    """Share of a stage in the whole time."""
    return _SHARES[stage]


@dataclass
class Clock:
    """Turns steps into progress, and adds up seconds per stage.

    Args:
        listener: told about progress.
        n_clips: how many clips there are.
    """

    listener: Callable[[RenderProgress], None] | None
    n_clips: int
    started: float = field(default_factory=time.monotonic)
    stage: RenderStage = RenderStage.PREFLIGHT
    stage_started: float = field(default_factory=time.monotonic)
    seconds: dict[str, float] = field(default_factory=dict)
    fraction: float = 0.0

    def enter(self, stage: RenderStage) -> None:
        """Begin a stage."""
        self.leave()
        self.stage = stage
        self.tell(0, 0.0)

    def leave(self) -> None:
        """End the current stage."""
        now = time.monotonic()
        self.seconds[self.stage] = self.seconds.get(self.stage, 0.0) + now - self.stage_started
        self.stage_started = now

    def tell(self, n_clips_done: int, part: float) -> None:
        """Report that `part` of the current stage is done."""
        stages = list(_SHARES)
        before = sum(_SHARES[stage] for stage in stages[: stages.index(self.stage)])
        self.fraction = max(self.fraction, before + _SHARES[self.stage] * min(1.0, part))
        if self.listener:
            spent = time.monotonic() - self.started
            left = spent / self.fraction - spent if self.fraction > 0.05 else None
            self.listener(RenderProgress(self.stage, n_clips_done, self.n_clips, self.fraction, left))
