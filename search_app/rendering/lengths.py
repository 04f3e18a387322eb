"""Length of each clip of a film, and what comes before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search_app.conforming.target_profile import Profile
from search_app.rendering.assembly import expected_frames
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.prefetch import n_threads_for
from search_app.rendering.preflight import Sighted, Unusable


@dataclass(frozen=True, slots=True)
class Lengths:
    """Expected frames of a clip and around it.

    Args:
        n_before: of the title card and all clips before it.
        n_own: of itself.
        n_next: of the next clip, or of the end card; None after the last.
        n_all: of all clips.
    """

    n_before: int
    n_own: int
    n_next: int | None
    n_all: int

    @property
    def n_threads(self) -> int | None:
        """Number of frames for the clip's encoder; None for all."""
        return n_threads_for(self.n_own, self.n_all)


def expected_lengths(sighted: Sequence[Sighted | Unusable], profile: Profile, film: FilmOptions) -> list[Lengths]:
    """Expected lengths around each clip, in order; clips that cannot be rendered have none."""
    own = [expected_frames(one.clip, profile) * isinstance(one, Sighted) for one in sighted]
    n_card = film.card_frames(profile.frame_rate)
    n_before, n_all = n_card * (film.title is not None), sum(own)
    following = [n for n in own if n] + [n_card] * (film.end_card is not None)
    lengths = []
    for n_own in own:
        following = following[1:] if n_own else following
        lengths.append(Lengths(n_before, n_own, next(iter(following), None), n_all))
        n_before += n_own
    return lengths
