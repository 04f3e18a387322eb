"""Confidence keeps what it claims on held-out drawn worlds; `-s` prints the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from indexer.models.open_clip_encoder import load_encoder
from search_app.confidence.calibration import calibration_of
from tests.evaluation.drawn_worlds import KINDS, UNKNOWN_WORDS
from tests.evaluation.measure_confidence import (
    N_BINS,
    WORLDS,
    Claimed,
    Reliability,
    by_kind,
    diagram_of,
    measure,
    reliability_of,
    table_of,
)

LARGEST_ERROR = 0.05


def keeps_its_word(figures: Mapping[str, Reliability], largest_error: float, kinds: Iterable[str]) -> bool:
    """Whether kinds of questions stay below an error, unknown words are not claimed, and high is high."""
    print("\n" + table_of(figures))  # noqa: T201 - the table is what these tests are for
    errors = {kind: figures[kind].ece for kind in kinds}
    assert {} == {kind: error for kind, error in errors.items() if error > largest_error}
    assert figures[UNKNOWN_WORDS].bins[-1][0] + figures[UNKNOWN_WORDS].bins[-2][0] == 0
    high = [figures["all kinds"].bins[n] for n in (8, 9)]
    return all(n > 0 and share >= said - 2 * LARGEST_ERROR for n, said, share in high)


@pytest.mark.optin
@pytest.mark.evaluation
@pytest.mark.slow
def test_of_what_is_called_so_sure_so_many_are_right(tmp_path: Path) -> None:
    """The expected calibration error stays within its bound in a small world, asked every fourth question."""
    small = [world for world in WORLDS if world[1] == min(n_shots for _, n_shots, _ in WORLDS)]
    figures = by_kind(measure(tmp_path, load_encoder("demo"), small, every=4))
    assert keeps_its_word(figures, LARGEST_ERROR, ["all kinds"])


@pytest.mark.evaluation
@pytest.mark.optin
def test_every_kind_keeps_its_word_in_all_worlds(tmp_path: Path) -> None:
    """The expected calibration error of every kind of question stays within its bound, in all worlds together."""
    assert keeps_its_word(by_kind(measure(tmp_path, load_encoder("demo"))), LARGEST_ERROR, KINDS)


@pytest.mark.evaluation
def test_the_committed_encoder_is_calibrated() -> None:
    """After another training the numbers have to be fitted again: `python -m tests.evaluation.fit_confidence`."""
    assert calibration_of(load_encoder("demo").space.space_id) is not None


def test_the_error_is_what_was_said_less_what_is_so() -> None:
    """By hand: ten hits that say 85 %, of which eight are right, and two that say 5 %, of which none is."""
    claims = [Claimed("thing", 0.85, number < 8) for number in range(10)]
    claims += [Claimed("thing", 0.05, False)] * 2
    found = reliability_of(claims)
    assert found.ece == pytest.approx((10 * 0.05 + 2 * 0.05) / 12)
    assert found.brier == pytest.approx((8 * 0.15**2 + 2 * 0.85**2 + 2 * 0.05**2) / 12)
    assert found.bins[8] == pytest.approx((10, 0.85, 0.8))
    assert N_BINS == len(found.bins)


def test_table_and_diagram_show_every_kind() -> None:
    """A row and a plot for each; the diagram is well-formed."""
    claims = [
        Claimed(kind, (number + 0.5) / 20, number % 2 == 0) for kind in ("thing", "then") for number in range(20)
    ]
    figures = by_kind(claims)
    assert ["thing", "then", "all kinds"] == list(figures)
    assert 2 + len(figures) == len(table_of(figures).splitlines())
    drawn = ET.fromstring(diagram_of(figures))  # noqa: S314 - our own
    assert 3 * N_BINS == len(drawn.findall(".//{*}circle"))
