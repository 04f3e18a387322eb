"""What people decide outlives a new detection of shots, and is recorded as a whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from search_app.cli import main
from search_app.errors import QueryError
from search_app.evaluation.ground_truth import judged_topics
from search_app.search.decisions import (
    change_set,
    judge,
    judged_shots,
    record_judgements,
    resolve_saved,
    save_search,
)
from store.archive import Archive
from store.errors import UnknownIdError
from store.events import Judged, SetChanged
from store.filters import InSet
from tests.integration.store.samples import add_videos, fingerprint_of

FORMER = (fingerprint_of(1), "0/1", "11/10")
"""The first shot of video 1 as it was cut before: a little longer than it is now."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive") as made:
        add_videos(made, 1, 2)
        made.publish()
        yield made


def shot_ids(archive: Archive, video: int) -> list[str]:
    return [shot.shot_id for shot in archive.snapshot().shots(fingerprint_of(video))]


@pytest.mark.parametrize("last", ["keep", "reject"])
def test_the_later_verdict_of_a_shot_holds(archive: Archive, last: str) -> None:
    """Said of the shot as it is cut now and as it was before, for searching and for measuring alike."""
    first = "reject" if last == "keep" else "keep"
    shot_id = shot_ids(archive, 1)[0]
    archive.record([Judged("boat", *FORMER, first)])
    judge(archive, "boat", [shot_id], last)
    archive.publish()
    kept, rejected = judged_shots(archive.snapshot(), "boat")
    assert {"keep": ((shot_id,), ()), "reject": ((), (shot_id,))}[last] == (kept, rejected)
    (topic,) = judged_topics(archive.snapshot())
    assert {shot_id: int(last == "keep")} == topic.grades


def test_a_shot_that_is_not_there_leaves_nothing_judged(archive: Archive) -> None:
    """Also what was named before it is not remembered."""
    with pytest.raises(UnknownIdError):
        record_judgements(archive, "boat", shot_ids(archive, 1)[:1], ["nope"], use_earlier=False)
    archive.publish()
    assert [] == archive.snapshot().judgements()


def members(archive: Archive, name: str) -> set[str]:
    return archive.snapshot().matching_shots(InSet(name), {})


def test_a_shot_leaves_a_set_whatever_put_it_there(archive: Archive) -> None:
    """Under a name of other case, as the shot was cut before, or both."""
    shot_id, other = shot_ids(archive, 1)
    archive.record([SetChanged("Foo", *FORMER, True)])
    change_set(archive, "FOO", [shot_id, other])
    assert {"FOO": 3} == archive.snapshot().sets()
    change_set(archive, "foo", remove=[shot_id])
    assert {other} == members(archive, "Foo")
    assert {"FOO": 1} == archive.snapshot().sets()


@pytest.mark.parametrize("removed", ["nope", "outside"])
def test_a_set_changes_as_a_whole_or_not_at_all(archive: Archive, removed: str) -> None:
    """What is not in the set, or not in the archive, cannot be taken out, and nothing is put in either."""
    shot_id, outside = shot_ids(archive, 1)
    with pytest.raises((QueryError, UnknownIdError)) as raised:
        change_set(archive, "foo", [shot_id], [outside if removed == "outside" else removed])
    assert "\n" not in str(raised.value)
    assert ("is not in the set 'foo'" if removed == "outside" else "no shot 'nope'") in str(raised.value)
    assert set() == members(archive, "foo")


@pytest.mark.parametrize(
    ("saved", "more", "expected"),
    [
        ("red", None, "red"),
        ("red dur:<5s", "door", "red door dur:<5s"),
        ("a dog THEN a cat WITHIN 5s", "asleep -rain", 'a dog THEN a cat asleep -"rain" WITHIN 5s'),
        ("label:boat OR label:ship", "dur:<5s in:b", '(label:boat OR label:ship) dur:<5s in:"b"'),
        ("2*dog", "like:shot/1", '2*"dog" + like:shot/1'),
    ],
)
def test_a_saved_search_is_narrowed_in_its_last_step(
    archive: Archive, saved: str, more: str | None, expected: str
) -> None:
    """Words, filters and pictures are added to what it asks, wherever its text ends."""
    save_search(archive, "mine", saved, {})
    assert expected == resolve_saved(archive, "mine", more, {})[0]


def test_a_saved_search_is_not_made_longer(archive: Archive) -> None:
    """Another step is refused in a line that names the search."""
    save_search(archive, "mine", "a dog", {})
    with pytest.raises(QueryError, match="'mine' can be narrowed"):
        resolve_saved(archive, "mine", "a THEN b", {})


def test_options_are_saved_and_those_given_now_hold(archive: Archive) -> None:
    """Every option comes back but the page and the device, unless it is asked for now, be it as by default."""
    defaults = {"limit": 20, "sort": "relevance", "variety": 0.0, "merge": False, "stack": True}
    special = {"limit": 5, "sort": "date", "variety": 0.5, "merge": True, "stack": False}
    now = {**defaults, "page": 1, "device": "auto"}
    save_search(archive, "mine", "a dog", {**special, "page": 3, "device": "cpu"})
    assert {**now, **special} == resolve_saved(archive, "mine", None, now)[1]
    given = {"variety", "sort", "stack"}
    expected = {**now, "limit": 5, "merge": True}
    assert expected == resolve_saved(archive, "mine", None, now, given)[1]


def command(archive: Archive, *arguments: str) -> Result:
    """`rushes search` for filters alone, which needs no model."""
    return CliRunner().invoke(main, ["search", str(archive.folder), *arguments], catch_exceptions=False)


def test_another_page_is_said_aside(archive: Archive) -> None:
    """Where there is more, the table's reader is told on stderr how to get it; JSON is for programs."""
    assert "more: --page 3\n" == command(archive, "in:*", "--limit", "1", "--page", "2").stderr
    assert "" == command(archive, "in:*", "--limit", "1", "--page", "4").stderr
    assert "" == command(archive, "in:*", "--limit", "1", "--json").stderr


def test_a_name_that_is_taken_is_given_away_aloud(archive: Archive) -> None:
    """Whoever overwrites a saved search is told so."""
    assert "" == command(archive, "in:*", "--limit", "9", "--save", "two").stderr
    assert "is replaced\n" in command(archive, "in:*", "--limit", "9", "--save", "two").stderr


def test_the_command_prefers_what_it_is_given(archive: Archive) -> None:
    """A saved search keeps its options; one that is written out holds against them, even as the default."""
    command(archive, "in:*", "--limit", "1", "--save", "one")
    assert 1 == len(json.loads(command(archive, "--saved", "one", "--json").stdout))
    assert 4 == len(json.loads(command(archive, "--saved", "one", "--limit", "20", "--json").stdout))
