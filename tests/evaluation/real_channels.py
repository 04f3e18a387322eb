"""Search on real clips, each channel alone and all of them fused, with the weights that come in packages.

Protocol: the clips beside this checkout, indexed with the starter encoder, with labels, speech and screen text;
every question that has an answer; a hit counts for the shot of the truth that it overlaps most. A channel alone
has weight 1 and all others 0. Recall at 1 and at 5 is the share of questions with a right shot among so many; MRR
the mean of one over the rank of the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from search_app.config import SearchSettings, default_weights
from search_app.query.options import SearchOptions
from search_app.query.parser import parse_query
from search_app.search.search import answer_query
from store.archive import Archive
from store.stages import meaning_stages
from tests.offline_models import starter_encoder
from tests.real_shots import Scores, Shot, read_queries
from tests.shared_media import MEDIA, read_manifest

DEPTH = 100
CHANNELS = ("picture", "label", "label_meaning", "transcript", "transcript_meaning", "screen_text", "name")


def only(*channels: str) -> SearchSettings:
    """Settings in which no other channel has a vote."""
    settings = SearchSettings()
    weights = dict.fromkeys(default_weights(), 0.0)
    known = {name: 1.0 for name in channels if name in weights}
    return replace(settings, weights={**weights, **known})


def score_channels(folder: Path) -> Mapping[str, Scores]:
    """Scores of each channel alone and of all of them, by name."""
    shots = {clip["file"]: clip["shots"] for clip in read_manifest(MEDIA)}
    with Archive.open(folder) as archive:
        counts = archive.snapshot().text_counts()
        has = [name for name in CHANNELS if name in default_weights()]
        searched = [
            name
            for name in has
            if name in ("picture", "name")
            or counts.get(name)
            or any(counts.get(stage.name) for stage in meaning_stages() if stage.meaning_channel == name)
        ]
        table = {name: _score(archive, only(name), shots) for name in searched}
        table["all"] = _score(archive, SearchSettings(), shots)
    return table


def _score(archive: Archive, settings: SearchSettings, shots: Mapping[str, Sequence[dict[str, float]]]) -> Scores:
    ranks = []
    for query, relevant, _ in read_queries():
        if not relevant:
            continue
        options = SearchOptions(DEPTH, merge=False, stack=False)
        result = answer_query(archive, parse_query(query), options, encoder=starter_encoder(), settings=settings)
        found: list[Shot] = []
        for hit in result.hits:
            if settings.weights["picture"] == 0 and not hit.matches:
                break  # what follows is in no order that the channel chose
            name, span = Path(hit.shot.path).name, hit.shot.shot.span
            found.append((name, _truth(shots[name], span.start_seconds, span.end_seconds)))
        ranks.append(next((rank for rank, shot in enumerate(dict.fromkeys(found), 1) if shot in relevant), 0))
    places = np.array(ranks, float)
    hit_at = places > 0
    inverse = np.where(hit_at, 1 / np.maximum(places, 1), 0.0)
    recall_1 = float((hit_at & (places <= 1)).mean())
    return Scores(recall_1, float((hit_at & (places <= 5)).mean()), float(inverse.mean()), len(ranks))


def _truth(shots: Sequence[dict[str, float]], start: float, end: float) -> int:
    """Number of the shot of the truth that a span overlaps most."""
    overlaps = [min(end, shot["end_s"]) - max(start, shot["start_s"]) for shot in shots]
    return int(shots[int(np.argmax(overlaps))]["index"])
