"""`rushes caption` on loose files: lists, pictures, what is gone on with, and what goes wrong."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from search_app.cli import main
from tests.colour_clips import write_colour_clip
from tests.fakes import make_picture, name_colour
from tests.fixtures.transformers_checkpoints import write_blip
from tests.openai_server import Asked, OpenAiServer, Reply, completion


def see(asked: Asked) -> Reply:
    """Names the colours of the pictures that arrive; black is more than it can bear, white is refused."""
    names = []
    for url in asked.pictures:
        picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
        names.append(name_colour(np.asarray(picture)).split()[0])
    if "black" in names:
        return Reply(b"too dark", 400)
    if "white" in names:
        return completion(None, "content_filter")
    return completion(" then ".join(dict.fromkeys(names)))


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer(see) as running:
        yield running


@pytest.fixture
def config(server: OpenAiServer, tmp_path: Path) -> Path:
    """Settings that name the server."""
    path = tmp_path / "settings.toml"
    path.write_text(
        f'[stages.remote]\nbase_url = "{server.url}"\nmodel = "tiny"\nkey_variable = ""\nretries = 0\n'
        "input_price_per_million = 1000.0\n"
        '[stages.captions]\nmodel = "remote"\n'
    )
    return path


def rushes(*arguments: object, status: int = 0) -> tuple[str, str]:
    """What `rushes caption` prints on stdout and stderr."""
    done = CliRunner().invoke(main, ["caption", *(str(one) for one in arguments)])
    assert status == done.exit_code, done.output
    return done.stdout, done.stderr


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def save(path: Path, colour: str) -> Path:
    """A picture file."""
    Image.fromarray(make_picture(colour)).save(path)
    return path


def test_a_video_is_captioned_shot_by_shot(config: Path, tmp_path: Path) -> None:
    """With exact spans; as a whole when that is asked; and the price is told."""
    video = write_colour_clip(tmp_path / "film.mp4", ["red", "green", "blue"])
    out = tmp_path / "out.jsonl"
    stdout, stderr = rushes(video, "--config", config, "-o", out)
    (line,) = lines_of(out)
    assert ["red", "green", "blue"] == [one["text"] for one in line["captions"]]
    assert [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)] == [(one["start"], one["end"]) for one in line["captions"]]
    for one in line["captions"]:
        assert all(one["start"] <= time < one["end"] for time in one["times"])
        assert (4, "done") == (len(one["times"]), one["state"])
    assert (str(video), "remote:tiny", "") == (line["path"], line["model"], line["error"])
    assert len(stdout.splitlines()) == 3
    assert "3 captions of 1 file" in stderr
    assert "3 requests, 300 + 30 tokens" in stderr
    assert "0.3000 USD" in stderr
    stdout, _ = rushes(video, "--config", config, "--whole", "--n-frames", 3, "--json")
    (whole,) = json.loads(stdout)
    assert ["red then green then blue"] == [one["text"] for one in whole["captions"]]


def test_pictures_are_captioned_several_at_once(config: Path, server: OpenAiServer, tmp_path: Path) -> None:
    """Each with its own caption and no times; what is no picture is said."""
    pictures = [save(tmp_path / f"{n}.png", colour) for n, colour in enumerate(["red", "blue", "green", "yellow"])]
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    stdout, stderr = rushes(*pictures, broken, "--config", config, "--json", status=1)
    found = json.loads(stdout)
    assert ["red", "blue", "green", "yellow", None] == [
        one["captions"][0]["text"] if one["captions"] else None for one in found
    ]
    assert "start" not in found[0]["captions"][0]
    assert "not a picture" in found[4]["error"]
    assert "1 failed" in stderr
    assert {1} == {len(asked.pictures) for asked in server.asked}


@pytest.mark.parametrize("kind", ["txt", "csv", "jsonl", "folder"])
def test_lists_are_gone_on_with(kind: str, config: Path, server: OpenAiServer, tmp_path: Path) -> None:
    """What is done is not asked again; what failed, is new, or was changed is; half a line is no harm."""
    folder = tmp_path / "footage"
    folder.mkdir()
    for name, colour in (("a.png", "red"), ("b.png", "black"), ("c.png", "white")):
        save(folder / name, colour)
    names = ["a.png", "b.png", "c.png"]
    listed = folder / f"list.{kind}"
    if kind == "txt":
        listed.write_text("\n".join(names))
    elif kind == "csv":
        listed.write_text("clip,title\n" + "".join(f"{name},Title {name}\n" for name in names))
    elif kind == "jsonl":
        listed.write_text("".join(json.dumps({"clip": name}) + "\n" for name in names))
    given = folder if kind == "folder" else listed
    column = ["--video-column", "clip"] if kind in ("csv", "jsonl") else []
    out = tmp_path / "out.jsonl"
    rushes(given, "--config", config, "-o", out, *column, status=1)
    first = lines_of(out)
    assert ["done", "error", "blocked"] == [one["captions"][0]["state"] for one in first]
    assert kind != "csv" or first[0]["metadata"] == {"title": "Title a.png"}
    with out.open("a") as stream:
        stream.write('{"path": "half a li')
    save(folder / "b.png", "green")
    n_asked = len(server.asked)
    _, stderr = rushes(given, "--config", config, "-o", out, *column)
    assert n_asked + 1 == len(server.asked)
    assert "2 done before" in stderr
    assert {"a.png": "red", "c.png": "", "b.png": "green"} == {
        Path(one["path"]).name: one["captions"][0]["text"] for one in lines_of(out)
    }
    assert len(lines_of(out)) == 3
    rushes(given, "--config", config, "-o", out, "--prompt", "What?", *column)
    assert n_asked + 4 == len(server.asked)


def test_other_files_are_never_written_over(config: Path, tmp_path: Path) -> None:
    """A file that is no list of captions stays as it is."""
    notes = tmp_path / "notes.jsonl"
    notes.write_text('{"my": "notes"}\nmore\n')
    picture = save(tmp_path / "a.png", "red")
    _, stderr = rushes(picture, "--config", config, "-o", notes, "--again", status=1)
    assert "no list of captions" in stderr
    assert notes.read_text() == '{"my": "notes"}\nmore\n'


def test_one_broken_file_stops_nothing(config: Path, tmp_path: Path) -> None:
    """Each failure has its line and its reason."""
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    gone = tmp_path / "list.txt"
    gone.write_text("gone.mp4\nbroken.mp4\na.png\n")
    save(tmp_path / "a.png", "red")
    stdout, _ = rushes(gone, "--config", config, "--json", status=1)
    found = json.loads(stdout)
    assert [True, True, False] == [bool(one["error"]) for one in found]
    assert found[2]["captions"][0]["text"] == "red"


def test_a_server_that_is_gone_ends_the_run(server: OpenAiServer, config: Path, tmp_path: Path) -> None:
    """With one line; what was done before stays."""
    picture, other = save(tmp_path / "a.png", "red"), save(tmp_path / "b.png", "blue")
    out = tmp_path / "out.jsonl"
    rushes(picture, "--config", config, "-o", out)
    server.close()
    _, stderr = rushes(picture, other, "--config", config, "-o", out, status=1)
    assert "cannot be reached" in stderr
    assert len(lines_of(out)) == 1


def test_a_model_of_a_folder(tmp_path: Path) -> None:
    """The same by a network of transformers that lies here."""
    model = write_blip(tmp_path / "blip")
    video = write_colour_clip(tmp_path / "film.mp4", ["red", "green"])
    arguments = (video, "--model", model, "--frames", "middle", "--max-tokens", 5, "--device", "cpu", "--json")
    first, _ = rushes(*arguments)
    assert first == rushes(*arguments)[0]
    (found,) = json.loads(first)
    assert len(found["captions"]) == 2
    assert all(one["text"] and one["state"] in ("done", "truncated") for one in found["captions"])


@pytest.mark.parametrize(
    ("arguments", "said", "status"),
    [
        (["--model", "nonsense"], "ORGANISATION/NAME", 1),
        (["--model", "remote"], "base_url", 1),
        (["--model", "remote", "--language", "German!"], "language must", 2),
    ],
)
def test_what_cannot_be_is_one_line(arguments: list[str], said: str, status: int, tmp_path: Path) -> None:
    """Of what is wrong and what to do."""
    _, stderr = rushes(save(tmp_path / "a.png", "red"), *arguments, status=status)
    assert said in stderr
    assert len(stderr.splitlines()) == 1
