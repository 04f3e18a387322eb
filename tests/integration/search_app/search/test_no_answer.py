"""No answer is silent: what was found nothing of, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from search_app.cli import main
from search_app.search.decisions import change_set
from search_app.search.search import search
from store.archive import Archive
from store.errors import UnknownIdError
from store.events import RightsChanged, RootNamed
from store.records import TextStage
from tests.integration.search_app.search.test_hybrid import ENCODER, add_texts, add_video, fingerprint


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.create(tmp_path_factory.mktemp("nothing") / "archive") as made:
        made.claim_space(ENCODER.space, "fake")
        made.record([RootNamed("films", "/films")])
        add_video(made, 1, "red", "green", "blue", name="a/clip.mp4")
        add_video(made, 2, "red", name="b/clip.mp4")
        add_texts(made, 1, TextStage.CAPTION, shot0="a red door")
        made.record(
            [
                RightsChanged(fingerprint(1), "0/1", "10/1", "block", "", "", "", ""),
                RightsChanged(fingerprint(1), "5/1", "15/1", "watermark", "mark", "", "", ""),
                RightsChanged(fingerprint(2), "", "", "watermark", "mark", "2020-01-01", "", ""),
            ]
        )
        made.publish()
        change_set(made, "reds", add=[made.snapshot().shots(fingerprint(2))[0].shot_id])
        yield made


@pytest.mark.parametrize(
    ("query", "options", "remarks"),
    [
        ('in:"Drone*"', {}, ["no folder or file of a video fits"]),
        ("in:clipp", {}, ['has that word; for a part of a word, in:"*clipp*"']),
        ("set:nosuch", {}, ["there is no set 'nosuch'; sets: reds"]),
        (
            "said:hello",
            {},
            ["the archive has no transcripts, so said: finds nothing", "enrich ARCHIVE --only speech"],
        ),
        ("text:hello", {}, ["the archive has no texts on screen"]),
        ("label:boat OR object:boat", {}, ["the archive has no labels", "the archive has no detected objects"]),
        ("has:speech", {}, ["no transcripts, so has:speech finds nothing"]),
        ("has:metadata", {}, ["no metadata", "rushes index ARCHIVE LIST.csv"]),
        ("has:audio", {}, ["no shot passes has:audio"]),
        ("lang:de", {}, ["no text here is in lang:de; languages: en"]),
        ("caption:boat", {}, ["none of the captions holds caption:boat"]),
        ('"exact words"', {}, ['none of the texts and names holds "exact words"']),
        ("dur:<1s", {}, ["no shot passes dur:<1s"]),
        ("date:1999", {}, ["no shot passes date:1999"]),
        ("red dur:<1s", {}, ["no shot passes dur:<1s"]),
        ("-in:*", {}, ["no shot passes -in:"]),
        ("set:reds in:a", {}, ["no shot passes all of them: set:"]),
        ("red", {"page": 400}, ["page 400 is beyond the last: there is 1 page of 20, for 3 hits"]),
        ("in:clip", {"page": 3, "limit": 2}, ["page 3 is beyond the last: there are 2 pages of 2, for 4 hits"]),
        ("red THEN blue WITHIN 1s", {}, ["steps in that order within 1 s of each other"]),
    ],
)
def test_an_empty_page_says_why(archive: Archive, query: str, options: dict[str, Any], remarks: list[str]) -> None:
    """Each condition that lets nothing through is named, and what would be needed."""
    result = search(archive, query, encoder=ENCODER, **options)
    assert [] == result.hits
    assert not result.is_answer
    for expected in remarks:
        assert any(expected in said for said in result.remarks), result.remarks


def test_an_unknown_set_is_named_beside_an_answer(archive: Archive) -> None:
    """What is asked for, or against, in vain is said although there are hits."""
    for query in ("set:reds OR set:nosuch", "red -set:nosuch"):
        result = search(archive, query, encoder=ENCODER)
        assert result.hits
        assert ["there is no set 'nosuch'; sets: reds"] == list(result.remarks)
    assert () == search(archive, "red", encoder=ENCODER).remarks


@pytest.mark.parametrize(
    ("query", "starts"),
    [
        ("rights:blocked", ["1:0"]),
        ("rights:marked", ["1:10"]),
        ("rights:free", ["1:20", "2:0"]),
        ("-rights:free", ["1:0", "1:10"]),
        ("rights:free in:a", ["1:20"]),
    ],
)
def test_rights_are_a_filter(archive: Archive, query: str, starts: list[str]) -> None:
    """Blocking goes before marking, a stretch counts for the shots it reaches into, and what expired never."""
    hits = search(archive, query, encoder=ENCODER, stack=False).hits
    assert starts == [f"{int(hit.shot.video_id, 16)}:{int(hit.span.start)}" for hit in hits]


def test_the_command_ends_with_status_1_and_valid_json(archive: Archive) -> None:
    """Nothing on stdout but an empty list, the reason on stderr."""
    folder = str(archive.folder)
    for options in ([], ["--json"]):
        ran = CliRunner().invoke(main, ["search", folder, "set:nosuch", *options])
        assert (1, "there is no set 'nosuch'; sets: reds\n") == (ran.exit_code, ran.stderr)
        assert ([] == json.loads(ran.stdout)) if options else ("" == ran.stdout)
    assert 0 == CliRunner().invoke(main, ["search", folder, "in:a"]).exit_code


def test_a_set_lists_its_shots(archive: Archive) -> None:
    """By its name, whatever its case; one that is not there is refused with those that are."""
    folder = str(archive.folder)
    ran = CliRunner().invoke(main, ["sets", folder, "REDS", "--json"])
    assert ["/films/b/clip.mp4"] == [shot["video"] for shot in json.loads(ran.stdout)]
    assert "/films/b/clip.mp4" in CliRunner().invoke(main, ["sets", folder, "reds"]).stdout
    wrong = CliRunner().invoke(main, ["sets", folder, "nosuch"])
    assert (2, "rushes: there is no set 'nosuch'; sets: reds\n") == (wrong.exit_code, wrong.stderr)


def test_an_id_may_be_shortened_as_far_as_it_is_unique(archive: Archive) -> None:
    """Wherever an id is typed; what may mean several is refused with those."""
    snapshot = archive.snapshot()
    shots = [row.shot_id for row in snapshot.shots()]
    whole = shots[0]
    short = next(whole[:n] for n in range(1, 17) if sum(one.startswith(whole[:n]) for one in shots) == 1)
    for typed in (short, short.upper(), f"shot/{short}", whole):
        assert whole == snapshot.shot(typed).shot_id
    with pytest.raises(UnknownIdError, match="no shot 'zz'"):
        snapshot.shot("zz")
    with pytest.raises(UnknownIdError, match="no shot ''"):
        snapshot.shot("")
    asked = [search(archive, f"like:shot/{one}", encoder=ENCODER) for one in (whole, short)]
    assert asked[0].hits == asked[1].hits
    kept = [search(archive, "red", encoder=ENCODER, keep=(one,), reject=()) for one in (whole, short)]
    assert kept[0].hits == kept[1].hits
    left = search(archive, "red", encoder=ENCODER, reject=(short,), stack=False)
    assert whole not in [hit.shot.shot_id for hit in left.hits]


def test_an_id_that_may_mean_several_is_refused(tmp_path: Path) -> None:
    """With the candidates and where they are."""
    with Archive.create(tmp_path / "archive") as made:
        made.claim_space(ENCODER.space, "fake")
        made.record([RootNamed("films", "/films")])
        add_video(made, 1, *["red"] * 20)
        made.publish()
        shots = [row.shot_id for row in made.snapshot().shots()]
        first = next(one[0] for one in shots if sum(other[0] == one[0] for other in shots) > 1)
        with pytest.raises(UnknownIdError, match=f"more than one shot begins with '{first}': ") as raised:
            made.snapshot().shot(first)
        assert next(one for one in shots if one[0] == first) in str(raised.value)
        assert "/films/1.mp4" in str(raised.value)
