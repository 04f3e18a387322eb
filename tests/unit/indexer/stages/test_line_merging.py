"""Lines of text of several pictures, merged."""

from __future__ import annotations

from fractions import Fraction

import pytest

from indexer.stages.line_merging import (
    MergedLine,
    ReadPicture,
    SeenLine,
    edit_distance,
    in_reading_order,
    merge_lines,
    similarity,
)

PLACE = (0.1, 0.8, 0.4, 0.05)


def line(text: str, score: float = 0.9, box: tuple[float, float, float, float] = PLACE) -> SeenLine:
    return SeenLine(text, score, box)


def merge(*pictures: list[SeenLine] | None) -> tuple[MergedLine, ...]:
    return merge_lines(
        [
            ReadPicture(Fraction(at), None if lines is None else tuple(lines))
            for at, lines in enumerate(pictures, start=1)
        ]
    )


def seconds(*times: Fraction | None) -> list[float | None]:
    return [None if time is None else float(time) for time in times]


def test_a_line_in_several_pictures_is_one() -> None:
    """Its times are those of the first and last picture with it, and of the nearest ones without it."""
    (found,) = merge([], [line("EXIT")], [line("EXIT")], [line("EXIT")], [])
    assert ("EXIT", 3) == (found.text, found.n_seen)
    assert [2, 4, 1, 5] == seconds(found.first, found.last, found.before, found.after)


def test_what_is_there_from_the_first_picture_to_the_last_has_no_neighbours() -> None:
    """Nothing says that it was not there before, or after."""
    (found,) = merge([line("EXIT")], [line("EXIT")])
    assert found.before is None and found.after is None


def test_another_text_in_the_same_place_is_another_line() -> None:
    """A slide that changes gives both texts, each with its own times."""
    found = merge([line("What we did")], [line("What we did")], [line("Where we go")])
    assert ["What we did", "Where we go"] == [one.text for one in found]
    assert [[1, 2], [3, 3]] == [seconds(one.first, one.last) for one in found]


def test_the_same_text_far_away_is_another_line() -> None:
    """Two signs that say the same are two."""
    found = merge([line("EXIT"), line("EXIT", box=(0.7, 0.1, 0.2, 0.05))])
    assert 2 == len(found)


def test_readings_vote_and_the_others_are_kept() -> None:
    """The reading with the highest sum of scores leads, not the one that was surest once."""
    (found,) = merge([line("BUNNY", 0.8)], [line("BUNKY", 0.95)], [line("BUNNY", 0.8)])
    assert "BUNNY" == found.text and ("BUNKY",) == found.others
    assert pytest.approx(0.8) == found.score


def test_a_space_that_one_reading_has_is_kept() -> None:
    """Readers overlook spaces."""
    (found,) = merge([line("BigBuck")], [line("Big Buck")], [line("BigBuck")])
    assert "Big Buck" == found.text and ("BigBuck",) == found.others


def test_an_overlooked_line_is_still_the_same() -> None:
    """One picture in which it was not read does not split it."""
    (found,) = merge([line("EXIT")], [], [line("EXIT")])
    assert [1, 3] == seconds(found.first, found.last) and 2 == found.n_seen


def test_a_line_that_comes_back_much_later_is_another() -> None:
    """Three pictures without it end it."""
    found = merge([line("EXIT")], [], [], [], [line("EXIT")])
    assert [1, 5] == seconds(*(one.first for one in found))


def test_pictures_that_were_not_read_again_keep_what_was_there() -> None:
    """What was on the picture that they look like lasts; what had gone before does not come back."""
    found = merge([line("OLD")], [line("NEW SLIDE")], None, None)
    assert ["OLD", "NEW SLIDE"] == [one.text for one in found]
    assert [1, 4] == seconds(*(one.last for one in found))


def test_rolling_credits_are_one_line_each() -> None:
    """Lines that move up by a tenth of the picture in each are followed, and not taken for each other."""
    names = ["Anna Berg", "Carl Dahl", "Emil Falk"]

    def shown(at: int) -> list[SeenLine]:
        places = [(name, 0.9 - 0.1 * at + 0.1 * number) for number, name in enumerate(names)]
        return [line(name, box=(0.3, top, 0.4, 0.05)) for name, top in places if 0 <= top <= 0.95]

    found = merge(*(shown(at) for at in range(12)))
    assert names == [one.text for one in found]
    assert all(one.n_seen >= 9 for one in found)


def test_text_that_is_written_letter_by_letter_is_one_line() -> None:
    """What is part of the line in the same place is the line."""
    (found,) = merge([line("THE PEA")], [line("THE PEACH OPEN")], [line("THE PEACH OPEN")])
    assert "THE PEACH OPEN" == found.text


def test_nothing_gives_nothing() -> None:
    """No picture, or pictures without text."""
    assert () == merge() == merge([], [], None)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("", "", 0),
        ("abc", "", 3),
        ("", "ab", 2),
        ("kitten", "sitting", 3),
        ("flaw", "lawn", 2),
        ("same", "same", 0),
    ],
)
def test_edit_distances(one: str, other: str, distance: int) -> None:
    """Known distances, both ways."""
    assert distance == edit_distance(one, other) == edit_distance(other, one)


def test_case_and_spaces_make_no_difference_to_similarity() -> None:
    """What differs there says the same."""
    assert 1.0 == similarity("Big Buck", "BIGBUCK") == similarity("", " ")


def test_reading_order_is_down_and_across() -> None:
    """Lines side by side go from left to right, whatever their heights."""
    lines = [
        line("right", box=(0.6, 0.105, 0.3, 0.04)),
        line("below", box=(0.1, 0.3, 0.3, 0.05)),
        line("left", box=(0.1, 0.1, 0.3, 0.05)),
    ]
    assert ["left", "right", "below"] == [one.text for one in in_reading_order(lines)]
