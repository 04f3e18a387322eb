"""Questions in order of time: A then B then C, inside one video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Chain:
    """One frame for each step, in order of time.

    Args:
        score: mean score of the steps.
        frames: for each step, the position of its frame.
    """

    score: float
    frames: tuple[int, ...]


def find_chains(
    scores: NDArray[np.float64], times: NDArray[np.float64], within_seconds: float | None
) -> list[Chain]:
    """The best chain of frames for each possible last frame of one video, best first.

    A chain takes one frame for each step, each later than the one before; from each frame to the next at most
    `within_seconds` pass. Found exactly, by dynamic programming: for every frame, the best chain that ends there.

    Args:
        scores: (n_steps, n_frames), comparable between steps (such as standard deviations above the archive's
            mean for the step); minus infinity where a frame may not serve a step.
        times: (n_frames,), ascending, in seconds.
        within_seconds: longest time from one step to the next; None: any time later in the video.

    Returns:
        Chains of finite score with different last frames; equal scores by earlier last frame.
    """
    n_steps, n_frames = scores.shape
    best = scores[0].copy()
    came_from = np.full((n_steps, n_frames), -1, dtype=np.int64)
    for step in range(1, n_steps):
        before = np.full(n_frames, -np.inf)
        for frame in range(n_frames):
            first = 0 if within_seconds is None else int(np.searchsorted(times, times[frame] - within_seconds))
            end = int(np.searchsorted(times, times[frame]))  # strictly earlier
            if end > first:
                choice = first + int(np.argmax(best[first:end]))
                before[frame], came_from[step, frame] = best[choice], choice
        best = before + scores[step]
    chains = []
    for last in np.argsort(-best, kind="stable"):
        if not np.isfinite(best[last]):
            break
        frames = [int(last)]
        for step in range(n_steps - 1, 0, -1):
            frames.append(int(came_from[step, frames[-1]]))
        chains.append(Chain(float(best[last]) / n_steps, tuple(reversed(frames))))
    return chains
