"""Files that a question names come first; endings and words that many names share have no say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search_app.config import SearchSettings, default_weights
from search_app.search.naming import NamedVideos
from search_app.search.search import SearchResult, search
from store.archive import Archive
from store.events import Described, RootNamed, Seen
from tests.fakes import FakeEncoder
from tests.integration.search_app.search.test_hybrid import ENCODER, add_video, fingerprint

NAMES = {
    1: "friday.mp4",
    2: "DJI_0042.mp4",
    3: "Foreman - site visit.mp4",
    4: "vp9cake.webm",
    5: "a/clip.mp4",
    6: "b/clip.mp4",
    7: "red.mp4",
    8: "clip_DJI_0007.mov",
    9: "DJI_0043.mp4",
    10: "Cr\u00eape Suzette.mp4",
    11: "clip 12.mp4",
    12: "2021.mp4",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.create(tmp_path_factory.mktemp("naming") / "archive") as made:
        made.claim_space(ENCODER.space, "fake")
        made.record([RootNamed("films", "/films")])
        for number, name in NAMES.items():
            shown = {7: ("green", "red", "blue")}.get(number, ("red", "blue"))
            add_video(made, number, *shown, name=name)
        made.record([Described(fingerprint(1), {"title": "the harbour at night"})])
        made.publish()
        yield made


def ask(archive: Archive, query: str, limit: int = 50, **options: Any) -> SearchResult:
    return search(archive, query, encoder=ENCODER, limit=limit, stack=False, **options)


def first_names(result: SearchResult, n: int) -> list[str]:
    return [hit.shot.path.removeprefix("/films/") for hit in result.hits[:n]]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("DJI_0042.mp4", 2),
        ("dji_0042", 2),
        ("DJI 0042", 2),
        ("show me DJI_0042 please", 2),
        ("0042", 2),
        ("foreman", 3),
        ("site visit", 3),
        ("Foreman - site visit.mp4", 3),
        ("cake", 4),
        ("vp9cake", 4),
        ("friday", 1),
        ("Friday.mp4", 1),
        ("friday something", 1),
        ("crepe", 10),
        ("CR\u00caPE SUZETTE", 10),
        ("b/clip.mp4", 6),
        ("2021", 12),
        ("clip 12", 11),
    ],
)
def test_a_named_file_comes_first(archive: Archive, query: str, number: int) -> None:
    """By its name, its stem or whole words of it, with all of its shots where no picture shows the words."""
    assert [NAMES[number]] * 2 == first_names(ask(archive, query), 2)


def test_the_endings_and_what_many_names_share_have_no_say(archive: Archive) -> None:
    """`mp4`, `webm` and `clip` put no file before others; nor do letters inside a word."""
    plain = [hit.shot.shot_id for hit in ask(archive, "xyzzy").hits]
    for query in ("mp4", "webm", "clip", "ake", "visi"):
        hits = ask(archive, query).hits
        assert [] == [(query, match.text) for hit in hits for match in hit.matches if match.channel == "name"]
        assert len(plain) == len(hits)


def test_both_files_of_one_name_come_first(archive: Archive) -> None:
    """Typed with its ending a name is meant, however many files have it."""
    assert {"a/clip.mp4", "b/clip.mp4"} == set(first_names(ask(archive, "clip.mp4"), 4))


def test_a_word_of_a_name_is_no_answer_but_a_name_is(archive: Archive) -> None:
    """What only holds the word hides "nothing matches" no more; the whole name counts as found by words."""
    part = ask(archive, "foreman")
    assert part.nothing_matches
    assert not any(hit.is_found_by_words or hit.is_match for hit in part.hits)
    whole = ask(archive, "DJI_0042.mp4")
    assert not whole.nothing_matches
    assert [True, True, False] == [hit.is_found_by_words for hit in whole.hits[:3]]
    assert not ask(archive, "friday").nothing_matches


def test_metadata_are_words(archive: Archive) -> None:
    """What people wrote of a video counts as before."""
    result = ask(archive, "harbour night")
    assert not result.nothing_matches
    assert {"friday.mp4"} == set(first_names(result, 2))


def test_of_a_file_called_like_what_pictures_show_only_what_shows_it_goes_first(archive: Archive) -> None:
    """red.mp4 also holds a green shot, which is no red one."""
    result = ask(archive, "red")
    assert ("red.mp4", 1) == (first_names(result, 1)[0], result.hits[0].shot.shot.ordinal)
    assert all(hit.confidence and hit.confidence >= 0.5 for hit in result.hits[:3])
    green = next(hit for hit in result.hits if hit.shot.video_id == fingerprint(7) and not hit.shot.shot.ordinal)
    assert not green.is_found_by_words


def test_a_number_in_a_question_is_no_name(archive: Archive) -> None:
    """`2021.mp4` is not named by whatever holds the number."""
    assert {} == NamedVideos(archive.snapshot(), "green in 2021").matches


def test_votes_say_the_order_and_pages_go_on(archive: Archive) -> None:
    """Relevance falls along the list, and pages of two add up to the whole."""
    whole = ask(archive, "foreman").hits
    votes = [hit.relevance for hit in whole]
    assert votes == sorted(votes, reverse=True)
    pages = [hit for page in range(1, 20) for hit in ask(archive, "foreman", 2, page=page).hits]
    assert [hit.shot.shot_id for hit in whole] == [hit.shot.shot_id for hit in pages]


def test_names_can_be_switched_off(archive: Archive) -> None:
    """Without weight the channel of names has no say at all."""
    settings = SearchSettings(weights={**default_weights(), "name": 0.0})
    hits = ask(archive, "foreman", settings=settings).hits
    assert all(match.channel != "name" for hit in hits for match in hit.matches)


def test_a_copy_is_found_by_its_name_too(tmp_path: Path) -> None:
    """A video that lies at two places is found by either name."""
    with Archive.create(tmp_path / "archive") as made:
        made.claim_space(FakeEncoder().space, "fake")
        made.record([RootNamed("films", "/films")])
        add_video(made, 1, "red", name="one.mp4")
        add_video(made, 2, "red", name="two.mp4")
        made.record([Seen("films", "holiday/Crete2020.mp4", 1000, 0, fingerprint(2))])
        made.publish()
        for query in ("crete", "two", "Crete2020.mp4"):
            assert fingerprint(2) == ask(made, query).hits[0].shot.video_id
