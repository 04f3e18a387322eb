"""Channels joined, filters, moments, copies, feedback, order in time: an archive of plain colours with texts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from search_app.config import RankingSettings, SearchSettings
from search_app.errors import QueryError
from search_app.query.options import SearchOptions
from search_app.query.parser import parse_query
from search_app.search.decisions import delete_search, judge, judged_shots, resolve_saved, save_search
from search_app.search.history import read_history, remember
from search_app.search.search import SearchResult, search
from search_app.search.why import explain
from store.archive import Archive
from store.events import Described, RootNamed, Seen
from store.records import Boundary, SampledFrame, Segment, Shot, TextRow, TextSegment, TextStage, VideoFacts
from store.timespan import TimeSpan
from tests.fakes import FakeEncoder, make_picture

ENCODER = FakeEncoder()
SHARP, BLANK = 500.0, 0.5


def fingerprint(number: int) -> str:
    return f"{number:032x}"


def add_video(archive: Archive, number: int, *shots: str, name: str = "", sharpness: float = SHARP) -> None:
    """A video whose shots of ten seconds show these colours, each with three sampled frames."""
    spans = [TimeSpan(Fraction(10 * i), Fraction(10 * i + 10)) for i in range(len(shots))]
    frames = [(i, span.start + second) for i, span in enumerate(spans) for second in (1, 5, 9)]
    facts = VideoFacts(
        "mov", "h264", 64, 36, 0, Fraction(25), Fraction(1, 25), Fraction(0),
        TimeSpan(Fraction(0), spans[-1].end), 99, False,
    )  # fmt: skip
    pictures = [make_picture(colour) for colour in shots for _ in range(3)]
    segment = Segment(
        fingerprint(number), 1000, "visual", "0" * 16, ENCODER.space, {}, facts,
        tuple(Shot(i, span, Boundary.CUT) for i, span in enumerate(spans)),
        tuple(SampledFrame(i, time, sharpness, f"{number}-{time}.webp") for i, time in frames),
        ENCODER.encode_images(pictures),
    )  # fmt: skip
    archive.put_segment(segment)
    archive.record([Seen("films", name or f"{number}.mp4", 1000, 0, fingerprint(number))])


def add_texts(archive: Archive, number: int, stage: TextStage, **texts: str) -> None:
    """Texts about shots, given as `shot0="..."`."""
    rows = tuple(
        TextRow(TimeSpan(Fraction(10 * int(shot[4:]) + 2), Fraction(10 * int(shot[4:]) + 8)), text, None, "en")
        for shot, text in texts.items()
    )
    vectors = ENCODER.encode_texts([row.text for row in rows])
    segment = TextSegment(fingerprint(number), stage, "k", "made-up", {}, rows, ENCODER.space, vectors)
    archive.put_text(segment)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.create(tmp_path_factory.mktemp("hybrid") / "archive") as made:
        made.claim_space(ENCODER.space, "fake")
        made.record([RootNamed("films", "/films")])
        add_video(made, 1, "red", "green", "blue", "white")
        add_video(made, 2, "blue", "red", "yellow", "yellow", "orange", name="holiday in Crete.mp4")
        add_video(made, 3, "purple", "purple", "red", name="b/takes.mp4")
        add_video(made, 4, "black", "black", sharpness=BLANK)
        add_texts(made, 1, TextStage.TRANSCRIPT, shot3="We are leaving the harbour")
        add_texts(made, 2, TextStage.TRANSCRIPT, shot4="leaving, leaving")
        add_texts(made, 3, TextStage.CAPTION, shot0="a purple curtain", shot2="a red door opens")
        made.record(
            [Described(fingerprint(1), {"date": "2021-06-01"}), Described(fingerprint(2), {"date": "2020"})]
        )
        made.publish()
        yield made


def ask(archive: Archive, query: str, **options: Any) -> SearchResult:
    return search(archive, query, encoder=ENCODER, **options)


def places(result: SearchResult) -> list[str]:
    """`video.shot` of the hits."""
    return [f"{int(hit.shot.video_id, 16)}.{hit.shot.shot.ordinal}" for hit in result.hits]


def test_a_hit_says_which_channels_found_it(archive: Archive) -> None:
    """Spoken words find a shot that no picture shows, with the text and the words as written."""
    result = ask(archive, "leaving")
    hits = dict(zip(places(result), result.hits, strict=True))
    match = next(match for match in hits["1.3"].matches if match.channel == "transcript")
    assert ("We are leaving the harbour", ("leaving",), 2) == (match.text, match.words, match.rank)
    assert {"1.3", "2.4"} == set(places(ask(archive, "leaving", limit=2)))
    assert not ask(archive, "leaving").nothing_matches


def test_pictures_and_words_add_up(archive: Archive) -> None:
    """Of shots that look alike, the one whose caption says it comes first."""
    assert "3.2" == places(ask(archive, "red", limit=3, stack=False))[0]
    channels = {match.channel for match in ask(archive, "red").hits[0].matches}
    assert {"picture", "caption"} <= channels


def test_names_and_folders_find_too(archive: Archive) -> None:
    """A word of a file name finds all shots of the file."""
    assert {"2.0", "2.1", "2.2", "2.3", "2.4"} == set(places(ask(archive, "Crete", limit=5, stack=False)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("said:leaving", ["1.3", "2.4"]),
        ('said:"leaving the harbour"', ["1.3"]),
        ("said:harb*", ["1.3"]),
        ('said:"leaving the harb*"', ["1.3"]),
        ("said:harb", []),
        ('"red door"', ["3.2"]),
        ("caption:door OR said:harbour", ["1.3", "3.2"]),
        ("said:harbour OR in:takes*", ["1.3", "3.0", "3.1", "3.2"]),
        ("said:harbour OR shape:portrait", ["1.3"]),
        ("red in:takes*", ["3.0", "3.1", "3.2"]),
        ("in:b has:caption", ["3.0", "3.2"]),
        ("-in:* red", []),
        ("date:2021 has:speech", ["1.3"]),
        ("dur:<5s", []),
    ],
)
def test_filters_hold_for_every_hit(archive: Archive, query: str, expected: list[str]) -> None:
    """Nothing that a filter keeps out is ever listed, and nothing that it lets through is missing."""
    assert expected == sorted(places(ask(archive, query, limit=50, stack=False)))


def test_minus_takes_out_what_shows_it(archive: Archive) -> None:
    """What shows the unwanted is not listed at all, and `why` says so."""
    assert not {"1.0", "2.1", "3.2"} & set(places(ask(archive, "blue -red", limit=50, stack=False)))
    found = explain(archive, "1.mp4", 3.0, "blue -red", encoder=ENCODER)
    assert "taken out by -red" == found.reason


def test_copies_stack_and_black_frames_do_not(archive: Archive) -> None:
    """Shots that show the same picture stand behind the best of them; black ones stay apart."""
    result = ask(archive, "yellow", limit=50)
    best = result.hits[0]
    assert ["2.2", {"2.3"}] == [places(result)[0], {f"2.{copy.shot.ordinal}" for copy in best.stack}]
    assert "2.3" not in places(result)
    assert {"4.0", "4.1"} <= set(places(result))
    assert "2.3" in places(ask(archive, "yellow", limit=50, stack=False))


def test_neighbours_merge_into_a_moment(archive: Archive) -> None:
    """Touching shots that answer together are one hit, from the first one's start to the last one's end."""
    hit = ask(archive, "yellow", merge=True).hits[0]
    assert (Fraction(20), Fraction(40)) == (hit.span.start, hit.span.end)
    assert [2, 3] == [member.shot.ordinal for member in hit.members]


def test_variety_puts_nothing_before_what_matches(archive: Archive) -> None:
    """Two shots that match stay first, however much they are alike."""
    assert {"2.2", "2.3"} == set(places(ask(archive, "yellow", limit=2, stack=False)))
    assert {"2.2", "2.3"} == set(places(ask(archive, "yellow", limit=2, stack=False, variety=0.9)))


@pytest.mark.parametrize("query", ["red", "red -blue", "leaving", "in:* OR said:leaving"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stack": False},
        {"variety": 0.5},
        {"merge": True},
        {"sort": "date"},
        {"merge": True, "variety": 0.9, "stack": False},
    ],
)
def test_pages_follow_each_other(archive: Archive, query: str, options: dict[str, Any]) -> None:
    """Pages add up to the whole list, without gaps or repetitions, also behind the shots that vote."""
    few = SearchSettings(ranking=RankingSettings(pool=3))
    whole = places(ask(archive, query, limit=50, settings=few, **options))
    assert len(set(whole)) == len(whole)
    pages, page = [], 1
    while True:
        result = ask(archive, query, limit=4, page=page, settings=few, **options)
        pages += places(result)
        if not result.has_more:
            break
        page += 1
    assert whole == pages


def test_words_are_found_behind_many_that_the_filter_keeps_out(archive: Archive) -> None:
    """A text channel looks as deep as it must to find rows that pass the filter."""
    few = SearchSettings(ranking=RankingSettings(pool=1))
    result = ask(archive, "leaving in:1.mp4", settings=few)
    hit = result.hits[places(result).index("1.3")]
    assert "transcript" in [match.channel for match in hit.matches]


def test_stop_words_do_not_count_as_asked(archive: Archive) -> None:
    """A text that holds the one telling word of a long question has a vote."""
    hit = ask(archive, "what is it that we are leaving", limit=1, stack=False).hits[0]
    assert "transcript" in [match.channel for match in hit.matches]


def test_chains_leave_out_what_was_rejected_and_refuse_what_they_cannot_do(archive: Archive) -> None:
    """A rejected shot starts and ends no chain; sorting and the like are refused rather than passed over."""
    first = ask(archive, "blue THEN red").hits[0]
    for step in first.steps:
        left = ask(archive, "blue THEN red", reject=(step.shot.shot_id,))
        assert step.shot.shot_id not in [part.shot.shot_id for hit in left.hits for part in hit.steps]
    for option in ({"sort": "date"}, {"merge": True}, {"variety": 0.5}, {"keep": (first.shot.shot_id,)}):
        with pytest.raises(QueryError, match=next(iter(option))):
            ask(archive, "blue THEN red", **option)


def test_answers_can_be_sorted(archive: Archive) -> None:
    """By date, by file and by duration, and then only what surely matches is listed."""
    assert ["3.2", "2.1", "1.0"] == places(ask(archive, "red", sort="date", stack=False))
    assert ["1.0", "3.2", "2.1"] == places(ask(archive, "red", sort="file", stack=False))
    listed = places(ask(archive, "has:speech", sort="date"))
    assert ["2.4", "1.3"] == listed


def test_order_in_time(archive: Archive) -> None:
    """Red then blue is found where blue follows red, and the window between them holds."""
    result = ask(archive, "red THEN blue")
    assert "1.0" == places(result)[0]
    assert ["1.0", "1.2"] == [f"1.{step.shot.shot.ordinal}" for step in result.hits[0].steps]
    assert (Fraction(0), Fraction(30)) == (result.hits[0].span.start, result.hits[0].span.end)
    assert "2.0" == places(ask(archive, "blue THEN red THEN yellow"))[0]
    assert "2.0" == places(ask(archive, "blue THEN red WITHIN 5s"))[0]
    with pytest.raises(QueryError, match="plain words"):
        ask(archive, "has:speech THEN in:b")


def test_like_a_shot_leaves_the_shot_itself_out(archive: Archive) -> None:
    """What looks like a shot, or like a moment of a video, is found without the shot itself."""
    shot = next(shot for shot in archive.snapshot().shots(fingerprint(1)) if shot.shot.ordinal == 0)
    assert {"2.1", "3.2"} == set(places(ask(archive, f"like:shot/{shot.shot_id}", limit=2, stack=False)))
    assert {"2.1", "3.2"} == set(places(ask(archive, "like:1.mp4@0:05s", limit=2, stack=False)))
    assert "1.0" not in places(ask(archive, "like:1.mp4@5s", limit=50, stack=False))
    for query, message in (
        ("like:shot/12", "no shot"),
        ("like:1.mp4@99s", "it runs from"),
        ("like:x@1s", "no video"),
    ):
        with pytest.raises(QueryError, match=message):
            ask(archive, query)


def test_texts_and_pictures_add_up(archive: Archive) -> None:
    """A sum of a moment and a text finds what has something of both."""
    best = places(ask(archive, 'like:1.mp4@15s + 2*"yellow"', limit=2, stack=False))
    assert {"2.2", "2.3"} == set(best)


def test_feedback_re_ranks_and_is_remembered(archive: Archive) -> None:
    """What is rejected goes, what is like the kept comes, and both are known again for the same question."""
    shots = {f"{int(s.video_id, 16)}.{s.shot.ordinal}": s.shot_id for s in archive.snapshot().shots()}
    before = places(ask(archive, "colourful", limit=50, stack=False))
    after = ask(archive, "colourful", limit=50, stack=False, keep=(shots["1.1"],), reject=(shots[before[0]],))
    assert before[0] not in places(after)
    assert "1.1" == places(after)[0]
    judge(archive, "colourful", [shots["1.1"]], "keep")
    judge(archive, "colourful", [shots["3.0"], shots["3.1"]], "reject")
    judge(archive, "colourful", [shots["3.1"]], "clear")
    archive.publish()
    assert ((shots["1.1"],), (shots["3.0"],)) == judged_shots(archive.snapshot(), "colourful")
    assert ((), ()) == judged_shots(archive.snapshot(), "another question")


def test_searches_are_saved_and_remembered(archive: Archive) -> None:
    """A saved search runs again by its name, with more words if wanted; deleted ones are gone; history is kept."""
    save_search(archive, "reds", "red has:caption", {"merge": True, "page": 3})
    defaults = {"variety": 0.0, "merge": False, "sort": "relevance"}
    assert ("red door has:caption", {**defaults, "merge": True}) == resolve_saved(
        archive, "reds", "door", defaults
    )
    delete_search(archive, "reds")
    with pytest.raises(QueryError, match="saved: none yet"):
        resolve_saved(archive, "reds", None, defaults)
    remember(archive, "one", 1)
    remember(archive, "two", 2)
    assert ["two", "one"] == [past.query for past in read_history(archive)][:2]


def test_why_names_what_happened(archive: Archive) -> None:
    """Which shot, its rank in every channel and after every stage, and what kept it out."""
    found = explain(archive, "takes.mp4", 25.0, "red", encoder=ENCODER)
    assert found.shot is not None
    assert ("", 2) == (found.reason, found.shot.shot.ordinal)
    assert {"picture", "caption"} <= {match.channel for match in found.matches}
    assert ("fusion", 1) == found.stages[0]
    assert "filters" in explain(archive, "takes.mp4", 25.0, "red in:1.mp4", encoder=ENCODER).reason
    assert "it ends at 30.00 s" in explain(archive, "takes.mp4", 99.0, "red", encoder=ENCODER).reason
    assert "no video" in explain(archive, "nowhere.mp4", 1.0, "red", encoder=ENCODER).reason
    stacked = explain(archive, "holiday in Crete.mp4", 35.0, "yellow", encoder=ENCODER)
    assert "same picture as" in stacked.reason


def test_why_ranks_a_shot_far_down_with_one_model(archive: Archive) -> None:
    """Behind the few shots of a small pool its rank is that of the search, among what passes the filter."""
    loaded = []

    def load() -> FakeEncoder:
        loaded.append("model")
        return ENCODER

    settings = SearchSettings(ranking=RankingSettings(pool=1))
    whole = explain(archive, "takes.mp4", 5.0, "red in:b", encoder=ENCODER)
    found = explain(archive, "takes.mp4", 5.0, "red in:b", encoder=load, settings=settings)
    ranks = [[match.rank for match in one.matches if match.channel == "picture"] for one in (whole, found)]
    assert ranks[0] == ranks[1]
    assert 1 == len(ranks[1])
    assert ["model"] == loaded


def test_why_knows_filters_and_chains(archive: Archive) -> None:
    """What no page has reached yet is behind the filters; what answers a later step says of which chain."""
    settings = SearchSettings(ranking=RankingSettings(pool=1))
    options = SearchOptions(limit=1)
    found = explain(archive, "1.mp4", 35.0, "in:1.mp4", encoder=ENCODER, settings=settings, options=options)
    assert "passes the filters" in found.reason
    chain = explain(archive, "1.mp4", 25.0, "green THEN blue", encoder=ENCODER)
    assert chain.reason.startswith("it is step 2 of the chain")


def test_a_question_of_filters_needs_no_encoder(archive: Archive) -> None:
    """Filters alone are answered without loading a model, in the order of the files."""

    def refuse() -> FakeEncoder:
        raise AssertionError("no model is needed")

    assert ["1.0", "1.1", "1.2", "1.3"] == places(search(archive, "in:1.mp4", encoder=refuse))


def test_a_parsed_query_can_be_asked(archive: Archive) -> None:
    """Text and parsed query give the same answer."""
    assert places(ask(archive, "red")) == places(search(archive, parse_query("red"), encoder=ENCODER))
