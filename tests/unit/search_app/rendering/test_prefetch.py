"""Pieces made before their turn."""

import threading
from collections.abc import Callable

import pytest

from indexer.errors import FfmpegError
from search_app.conforming.conform import Conformed
from search_app.rendering.prefetch import N_AT_ONCE, Ahead, n_threads_for

PIECE = Conformed(
    n_frames=1,
    first_tick=0,
    last_tick=0,
    zero_tick=0,
    n_source_frames=1,
    is_steady=True,
    first_clear_tick=0,
    last_clear_tick=0,
)


def test_pieces_are_made_two_at_once_and_each_once() -> None:
    """Each of two pieces waits for the other to begin; a key begun again is the same piece."""
    both, made = threading.Barrier(N_AT_ONCE, timeout=10), []

    def make(_stop: threading.Event, _tell: Callable[[int], None]) -> Conformed:
        both.wait()
        made.append(threading.get_ident())
        return PIECE

    with Ahead(threading.Event()) as ahead:
        for key in ("one", "two", "one"):
            ahead.begin(key, make)
        assert [PIECE, PIECE, None] == [ahead.take(key, None) for key in ("one", "two", "three")]
    assert 2 == len(made)


def test_what_goes_wrong_is_raised_when_its_turn_comes() -> None:
    """A piece that fails harms no other."""

    def fail(_stop: threading.Event, _tell: Callable[[int], None]) -> Conformed:
        raise FfmpegError("no picture")

    with Ahead(threading.Event()) as ahead:
        ahead.begin("bad", fail)
        ahead.begin("good", lambda _stop, _tell: PIECE)
        assert PIECE == ahead.take("good", None)
        with pytest.raises(FfmpegError, match="no picture"):
            ahead.take("bad", None)


def test_a_cancel_ends_the_waiting_and_what_is_being_made() -> None:
    """Nobody waits for a piece that is not wanted any more."""
    cancel, ended = threading.Event(), threading.Event()

    def make(stop: threading.Event, tell: Callable[[int], None]) -> Conformed:
        tell(7)
        stop.wait(10)
        ended.set()
        raise FfmpegError("was cancelled")

    def tell(n_frames: int) -> None:
        if n_frames == 7:
            cancel.set()

    with Ahead(cancel) as ahead, pytest.raises(FfmpegError, match="cancelled"):
        ahead.begin("long", make)
        ahead.take("long", tell)
    assert ended.is_set()


def test_a_long_piece_gets_all_threads() -> None:
    """Only what is short beside the rest is encoded with a part of them."""
    assert n_threads_for(100, 100) is None
    assert n_threads_for(1, 100) is not None
