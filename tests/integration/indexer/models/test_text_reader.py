"""PP-OCR through rapidocr: nothing is fetched, nothing is said, and wrong weights are refused."""

from __future__ import annotations

import importlib.util
import logging
import shutil
import socket
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.models import text_reader
from indexer.models.text_reader import LineReading, RapidOcrReader, TextPlace, read_apart

pytest.importorskip("rapidocr")

WHOLE = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.5), (0.1, 0.5))


def test_nothing_is_fetched_and_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Loading and reading open no connection; a picture without text is worth no line in a log."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("requests.get", refuse)
    monkeypatch.setattr(logging.getLogger("RapidOCR"), "propagate", True)
    reader = RapidOcrReader()
    assert [] == reader.find_lines(np.zeros((64, 64, 3), np.uint8), 64)
    assert [] == caplog.records
    assert ("", "") == capfd.readouterr()


def test_missing_weights_are_told(tmp_path: Path) -> None:
    """Which file, and what to do."""
    with pytest.raises(ModelError, match=r"PP-OCRv6_det_small\.onnx: No such file.*reinstall rapidocr"):
        RapidOcrReader(folder=tmp_path)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    """Before anything reads them: their SHA-256 is known."""
    spec = importlib.util.find_spec("rapidocr")
    assert spec is not None and spec.origin is not None
    for path in (Path(spec.origin).parent / "models").glob("PP*.onnx"):
        shutil.copy(path, tmp_path)
    with (tmp_path / "PP-OCRv6_rec_small.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    with pytest.raises(ModelError, match=r"PP-OCRv6_rec_small\.onnx are not those of rapidocr 3\.10"):
        RapidOcrReader(folder=tmp_path)


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that brings it."""

    def find(name: str) -> ModuleSpec | None:
        return None if name == "rapidocr" else importlib.util.find_spec(name)

    monkeypatch.setattr(text_reader, "find_spec", find)
    with pytest.raises(ModelError, match=r"needs the package rapidocr.*pip install 'rushes\[offline\]'"):
        RapidOcrReader()


class _TwoLines:
    """Reads the whole of a place with doubt, and its halves without."""

    name, weights_hash = "two", "00"

    def __init__(self, whole: float) -> None:
        self._whole = whole

    def load(self) -> None:
        """Nothing is to be loaded."""

    def find_lines(self, picture: Any, side_px: int) -> list[TextPlace]:
        raise NotImplementedError

    def read_lines(self, picture: Any, places: Any) -> list[LineReading]:
        del picture
        told = {0.1: "Big Buck", 0.3: "BUNNY"}
        return [
            LineReading("BUNKY", self._whole)
            if place.corners == WHOLE
            else LineReading(told[round(place.corners[0][1], 2)], 0.9)
            for place in places
        ]


@pytest.mark.parametrize(("whole", "texts"), [(0.7, ["Big Buck", "BUNNY"]), (0.92, ["BUNKY"]), (0.97, ["BUNKY"])])
def test_two_lines_found_as_one_are_read_apart(whole: float, texts: list[str]) -> None:
    """If that is read with less doubt, and not at all where there was none."""
    picture = np.zeros((200, 200, 3), np.uint8)
    told = read_apart(_TwoLines(whole), picture, [TextPlace(WHOLE, 0.9)])
    assert texts == [reading.text for _, reading in told]
