"""Faces: off by default, one row for each face, clusters that a person names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from indexer.config import IndexSettings, PipelineSettings
from indexer.errors import ModelError
from indexer.media.writer import VideoFormat, write_video
from indexer.models.detector import Detection
from indexer.models.encoder import RgbImage
from indexer.pipeline import index_videos
from indexer.stages.faces import FaceSettings, FaceStage, make_faces
from indexer.stages.stage import RgbPicture, ShownStretch, Stretch
from search_app.cli import main
from search_app.search.search import search
from search_app.use_cases.name_faces import cluster_faces, unpack_vector
from store.archive import Archive
from store.records import Boundary, Shot, ShotRow
from store.timespan import TimeSpan
from tests.fake_readers import FakeDetector, FakeFeatures
from tests.fakes import COLOURS, FakeEncoder
from tests.fixtures.detector_checkpoints import SIDE_PX, write_d_fine, write_vit
from tests.fixtures.transformers_checkpoints import WIDTH

RATE = 10
PEOPLE = ("red", "blue", "red", "green", "blue", "red")
"""Whose face each second shows; each is a colour."""


class FaceDetector(FakeDetector):
    """Takes every block of colour for a face."""

    def detect(self, pictures: Sequence[RgbImage]) -> Sequence[tuple[Detection, ...]]:
        """The blocks of each picture."""
        return [
            tuple(Detection("face", one.score, one.box) for one in found) for found in super().detect(pictures)
        ]


def picture(*faces: tuple[str, int]) -> RgbPicture:
    drawn = np.full((120, 160, 3), COLOURS["white"], np.uint8)
    for colour, left in faces:
        drawn[30:90, left : left + 48] = COLOURS[colour]
    return drawn


def shown(*pictures: RgbPicture) -> ShownStretch:
    times = tuple(Fraction(at) for at in range(len(pictures)))
    span = TimeSpan(Fraction(0), Fraction(len(pictures)))
    shot = ShotRow("0" * 16, "f" * 32, "", Shot(0, span, Boundary.CUT), "")
    return ShownStretch(Stretch(shot, span), times, pictures)


def stage(settings: FaceSettings | None = None) -> FaceStage:
    return FaceStage(FaceDetector(), FakeFeatures(), settings or FaceSettings(same_person=0.95))


def test_faces_are_off_until_models_are_named() -> None:
    """Asked for without them, the stage says what to do."""
    with pytest.raises(ModelError, match="faces are off: name a detector and an embedder"):
        make_faces(FaceSettings(), "cpu")


def test_one_row_for_each_face_with_a_vector() -> None:
    """Followed over the pictures; the two faces have vectors that differ, each of length 1."""
    (result,) = stage().read([shown(picture(("red", 10), ("blue", 100)), picture(("red", 14)))])
    assert 2 == len(result.rows)
    assert [2, 1] == sorted((len((row.payload or {})["pictures"]) for row in result.rows), reverse=True)
    vectors = [unpack_vector(row.payload) for row in result.rows]
    assert all(vector is not None and abs(np.linalg.norm(vector) - 1) < 1e-5 for vector in vectors)
    first, second = (vector for vector in vectors if vector is not None)
    assert float(first @ second) < 0.9
    assert all(row.text.startswith(f"face {number} ") for number, row in enumerate(result.rows, start=1))


def test_small_faces_are_left_out() -> None:
    """By their height."""
    (result,) = stage(FaceSettings(smallest=0.6)).read([shown(picture(("red", 10)))])
    assert () == result.rows


def test_company_makes_no_difference() -> None:
    """Stretches together or one by one."""
    stretches = [shown(picture(("red", 10))), shown(picture()), shown(picture(("blue", 50), ("green", 105)))]
    assert list(stage().read(stretches)) == [stage().read([one])[0] for one in stretches]


def test_tiny_checkpoints_go_the_whole_way(tmp_path: Path) -> None:
    """A detector and a model of picture features of transformers, by folder."""
    detector, embedder = write_d_fine(tmp_path / "detector"), write_vit(tmp_path / "embedder")
    settings = FaceSettings(str(detector), str(embedder), lowest_score=0.0, smallest=0.0, picture_px=SIDE_PX)
    (result,) = make_faces(settings, "cpu").read([shown(picture(("red", 10)))])
    assert result.rows
    for row in result.rows:
        vector = unpack_vector(row.payload)
        assert vector is not None and (WIDTH,) == vector.shape


@pytest.mark.parametrize(
    "payload", [None, {}, {"vector": 3}, {"vector": "!"}, {"vector": "AAA="}, {"vector": "AAAA"}]
)
def test_vectors_that_are_none_are_passed_over(payload: dict[str, object] | None) -> None:
    """A stranger's archive may hold anything."""
    assert unpack_vector(payload) is None


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of a video in which one face after the other is seen."""
    enrich = pytest.importorskip("indexer.stages.enrich")
    path = tmp_path / "library" / "people.mp4"
    path.parent.mkdir()
    pictures = ((number, picture((PEOPLE[number // RATE], 40))) for number in range(RATE * len(PEOPLE)))
    write_video(path, pictures, VideoFormat("libx264", RATE, sound_codec=None, options={"qp": "10"}))
    with Archive.create(tmp_path / "archive") as opened:
        opened.claim_space(FakeEncoder().space, "fake")
        settings = IndexSettings(pipeline=PipelineSettings(jobs=1))
        list(index_videos(opened, [path.parent], FakeEncoder(), settings, lambda _: None))
        list(enrich.enrich_videos(opened, [stage()], lambda _: None))
    return tmp_path / "archive"


def _rushes(*arguments: object, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["faces", *map(str, arguments)])
    assert status == done.exit_code, done.output
    return done.output


def _shots(archive: Path, query: str) -> list[int]:
    with Archive.open(archive) as opened:
        hits = search(opened, query, encoder=FakeEncoder(), limit=10).hits
    return sorted(hit.shot.shot.ordinal for hit in hits)


def test_a_cluster_that_is_named_is_found_by_its_name(archive: Path) -> None:
    """The largest cluster first; its name finds its shots and no others, and can be changed and taken back."""
    told = json.loads(_rushes("list", archive, "--json"))
    assert [3, 2, 1] == [len(one["faces"]) for one in told]
    reds = [number for number, person in enumerate(PEOPLE) if person == "red"]
    assert "3 faces are called Anna" in _rushes("name", archive, 1, "Anna Berg")
    assert reds == _shots(archive, "face:anna")
    assert "3 faces are called Carla" in _rushes("name", archive, 1, "Carla")
    assert (reds, []) == (_shots(archive, "face:carla"), _shots(archive, "face:anna"))
    assert ["Carla"] == json.loads(_rushes("list", archive, "--json"))[0]["names"]
    _rushes("name", archive, 1, "--reset")
    assert [] == _shots(archive, "face:carla")
    with Archive.open(archive) as opened:
        assert all(not one.names for one in cluster_faces(opened.snapshot()))
    assert list(range(6)) == _shots(archive, "face:face")


def test_what_cannot_be_named_is_told(archive: Path, tmp_path: Path) -> None:
    """A cluster that is not there, a name that is none, an archive without faces."""
    assert "there is no cluster 9: 3 clusters here" in _rushes("name", archive, 9, "Anna", status=2)
    assert "give a NAME, or --reset" in _rushes("name", archive, 1, status=2)
    with Archive.create(tmp_path / "empty"):
        pass
    assert "holds no faces" in _rushes("list", tmp_path / "empty", status=2)
