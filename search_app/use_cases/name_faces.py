"""Faces of an archive in clusters that a person can name; names are what `face:` finds."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from search_app.cutting.stored_cut import editor_name
from search_app.errors import QueryError
from store.events import TextCorrected
from store.row_checks import clean_text
from store.wording import n_of

if TYPE_CHECKING:
    from store.archive import Archive
    from store.records import Embeddings, TextRow
    from store.results import RunRow
    from store.snapshot import Snapshot
    from store.timespan import TimeSpan

_STAGE: Final = "face"
_MOST_DIM: Final = 65_536
_SAME_PERSON: Final = 0.6


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a stretch of a video.

    Args:
        video_id: the video.
        path: where it was last seen.
        row: span, text, score, box and payload, as the stage wrote it.
        name: the person, as a person said; empty where none did.
    """

    video_id: str
    path: str
    row: TextRow
    name: str


@dataclass(frozen=True, slots=True)
class FaceCluster:
    """Faces that are taken to be of one person.

    Args:
        number: from 1, the cluster with most faces first; changes with the archive.
        faces: the surest first.
    """

    number: int
    faces: tuple[Face, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names that its faces have, the most frequent first."""
        return tuple(name for name, _ in Counter(face.name for face in self.faces if face.name).most_common())

    @property
    def n_videos(self) -> int:
        """Videos with one of its faces."""
        return len({face.video_id for face in self.faces})


def cluster_faces(snapshot: Snapshot) -> tuple[FaceCluster, ...]:
    """The faces of the run that answers, in clusters, the largest first.

    The leader algorithm (Hartigan 1975, "Clustering Algorithms"), over faces from the surest to the least sure:
    each joins the cluster whose mean vector it is most alike, if the cosine reaches the run's `same_person`, or
    begins one.

    Raises:
        QueryError: the archive holds no faces.
    """
    run = _run(snapshot)
    limit = float((run.run.parameters or {}).get("same_person", _SAME_PERSON))
    faces = sorted(_faces(snapshot, run), key=_order)
    sums: list[Embeddings] = []
    members: list[list[Face]] = []
    for face in faces:
        vector = unpack_vector(face.row.payload)
        if vector is None or (sums and vector.shape != sums[0].shape):
            continue
        alike = [float(vector @ total / (np.linalg.norm(total) or 1)) for total in sums]
        if alike and max(alike) >= limit:
            at = int(np.argmax(alike))
            sums[at] = sums[at] + vector
            members[at].append(face)
        else:
            sums.append(vector)
            members.append([face])
    members.sort(key=lambda group: -len(group))
    return tuple(FaceCluster(number, tuple(group)) for number, group in enumerate(members, start=1))


def _order(face: Face) -> tuple[float, str, Fraction, str]:
    return -(face.row.score or 0), face.video_id, face.row.span.start, face.row.text


def name_cluster(archive: Archive, number: int, name: str) -> FaceCluster:
    """Give a name to all faces of a cluster, or take it back, and publish.

    Args:
        archive: an open archive.
        number: the cluster, as `cluster_faces` numbers it now.
        name: the person; empty to take names back.

    Raises:
        QueryError: there is no such cluster, or the archive holds no faces.
    """
    clusters = cluster_faces(archive.snapshot())
    if not 1 <= number <= len(clusters):
        raise QueryError(f"there is no cluster {number}: {n_of(len(clusters), 'cluster')} here")
    cluster = clusters[number - 1]
    person = " ".join(clean_text(name).split())
    archive.record(
        TextCorrected(
            _STAGE, face.video_id, str(face.row.span.start), str(face.row.span.end), face.row.text, person,
            not person, editor_name(),
        )
        for face in cluster.faces
        if face.name != person
    )  # fmt: skip
    archive.publish()
    return cluster


def unpack_vector(payload: Mapping[str, object] | None) -> Embeddings | None:
    """The vector in a row's payload, float32, of length 1; None where there is none that can be."""
    packed = (payload or {}).get("vector")
    if not isinstance(packed, str):
        return None
    try:
        data = base64.b64decode(packed, validate=True)
        vector = np.frombuffer(data, "<f2").astype(np.float32)
    except (ValueError, binascii.Error):
        return None
    length = float(np.linalg.norm(vector))
    return vector / length if 0 < vector.size <= _MOST_DIM and np.isfinite(length) and length > 0 else None


def _run(snapshot: Snapshot) -> RunRow:
    runs: Sequence[RunRow] = [row for row in snapshot.runs() if row.run.stage == _STAGE and row.n_live]
    if not runs:
        raise QueryError(
            "the archive holds no faces: name their models in [stages.faces], then enrich it with --only faces"
        )
    return runs[0]


def _faces(snapshot: Snapshot, run: RunRow) -> Iterator[Face]:
    for video in snapshot.videos():
        named = _names(snapshot, video.video_id)
        for row in snapshot.rows_of_run(run.run, video.video_id):
            yield Face(video.video_id, video.path, row, named.get((row.span, row.text), ""))


def _names(snapshot: Snapshot, video_id: str) -> dict[tuple[TimeSpan, str], str]:
    """For the stretch of a face and what the stage called it, the name that a person gave."""
    return {
        (row.row.span, str((row.row.payload or {}).get("was"))): row.row.text
        for row in snapshot.stage_rows(video_id, _STAGE)
        if row.is_by_hand
    }
