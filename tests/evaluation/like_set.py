"""The benchmark set of searching by picture: altered copies have to find their originals, and the other way round.

100 held-out shots. Of the first 50 the library also holds a copy in a film: the middle 80 to 90 % of each side, at
60 to 80 % of the exposure, at three quarters of the size, coded again in MPEG-4 part 2
(`like:VIDEO@t`, both ways).
Of the other 50 a single frame, chosen by chance, is altered in the same way and saved as a JPEG of quality 40 to
70 (`like:FILE`). What is altered is the filmed shot, with its blur and grain.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.evaluation.drawn_films import MPEG4, SHOT_FRAMES, Film, Place, Take, alter, arrange_films, sample_scenes
from tests.evaluation.search_cases import PICTURES, Case, SearchSet, Still

_SHOTS = 100
_SHOTS_PER_FILM = 10


def like_set() -> SearchSet:
    """Copies and originals, asked for by each other."""
    rng = random.Random("like")
    takes = [Take(scene, rng.getrandbits(31)) for scene in sample_scenes(_SHOTS, "like")]
    copied = arrange_films("original", takes[: _SHOTS // 2], _SHOTS_PER_FILM)
    others = arrange_films("other", takes[_SHOTS // 2 :], _SHOTS_PER_FILM)
    copies = [
        Film(f"copy-{film.name}", tuple(alter(take, rng) for take in film.takes), MPEG4, scale=0.75)
        for film in copied
    ]
    cases = [case for film, copy in zip(copied, copies, strict=True) for case in _ask_by_moment(film, copy)]
    stills: list[Still] = []
    for film in others:
        for place, take in zip(film.places, film.takes, strict=True):
            name = f"{len(stills)}.jpg"
            stills.append(Still(name, alter(take, rng), rng.randrange(SHOT_FRAMES), rng.randint(40, 70)))
            cases.append(Case(f'like:"{PICTURES}/{name}"', (place,), kind="by an altered JPEG"))
    return SearchSet((*copied, *others, *copies), tuple(cases), stills=tuple(stills))


def _ask_by_moment(film: Film, copy: Film) -> Iterator[Case]:
    """Every shot of a film by the middle of its copy, and every copy by its original."""
    for span, place, place_of_copy in zip(film.spans(), film.places, copy.places, strict=True):
        middle = (span.start_seconds + span.end_seconds) / 2
        yield _ask(place_of_copy, middle, place, "by a moment of the altered film")
        yield _ask(place, middle, place_of_copy, "the altered film by its original")


def _ask(asked: Place, seconds: float, found: Place, kind: str) -> Case:
    return Case(f"like:{asked[0]}@{seconds:.3f}s", (found,), kind=kind)
