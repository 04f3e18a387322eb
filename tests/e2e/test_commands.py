"""The `rushes` command as a user types it, in processes of its own, each forked from one that has imported all."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest

from tests.colour_clips import write_colour_clip
from tests.fork_server import Ended, ForkServer
from tests.forked_rushes import run_rushes

ROOT = Path(__file__).parents[2]
_started_by: ForkServer


@pytest.fixture(autouse=True, scope="module")
def _server(fork_server: ForkServer) -> None:
    """Where the commands are started."""
    global _started_by  # noqa: PLW0603  # so that a test reads as what a user types
    _started_by = fork_server


def _rushes(*arguments: str | Path, status: int | None = 0) -> Ended:
    """Run the command, which must end with that status, None for any, and never with a traceback."""
    environment = {"HF_HUB_OFFLINE": "1", "COLUMNS": "80"}
    ran = _started_by.capture(run_rushes, *map(str, arguments), environment=environment)
    assert status in (None, ran.returncode), ran.stderr
    assert "Traceback" not in ran.stderr
    return ran


def _refusal(*arguments: str | Path, status: int) -> str:
    """The one line that a refused command prints."""
    (line,) = _rushes(*arguments, status=status).stderr.splitlines()
    return line


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good videos with difficult names, and one that is none."""
    folder = tmp_path_factory.mktemp("library")
    write_colour_clip(folder / 'it\'s a "quoted" name.mp4', ["red", "green"])
    write_colour_clip(folder / "line one\nline two.mp4", ["blue", "yellow"], salt=1)
    (folder / "100% broken.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def archive(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of that library, made by the command."""
    folder = tmp_path_factory.mktemp("archives") / "archive"
    ran = _rushes("index", folder, library, "--model", "demo", "--json", status=1)
    outcomes = {Path(item["video"]).name: item for item in json.loads(ran.stdout)}
    assert ["failed", "indexed", "indexed"] == sorted(item["status"] for item in outcomes.values())
    assert outcomes["100% broken.mp4"]["reason"].startswith("not a video")
    return folder


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    """`--help` of every command must not load torch, duckdb, faiss, av, streamlit, OpenTimelineIO or numpy."""
    script = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from search_app.cli import main\n"
        "for name in [None, *main.commands]:\n"
        "    result = CliRunner().invoke(main, [*([name] if name else []), '--help'])\n"
        "    assert result.exit_code == 0 and 'Usage' in result.output, name\n"
        "    assert name is None or main.commands[name].help, name\n"
        "print(*sorted(sys.modules))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"torch", "duckdb", "faiss", "av", "streamlit", "numpy", "pyarrow", "rich", "transformers", "PIL"}
    heavy.add("opentimelineio")
    assert set() == heavy & set(ran.stdout.split())


def test_search_gives_ranked_shots_as_json(archive: Path) -> None:
    """Every hit has the promised fields; ranks count from 1 and scores fall."""
    hits = json.loads(_rushes("search", archive, "something red", "--json", "--limit", "3").stdout)
    assert [1, 2, 3] == [hit["rank"] for hit in hits]
    assert sorted((hit["score"] for hit in hits), reverse=True) == [hit["score"] for hit in hits]
    assert {"rank", "score", "shot_id", "video", "start_seconds", "end_seconds", "boundary"} <= set(hits[0])
    assert all(Path(hit["video"]).is_file() and Path(hit["thumbnail"]).is_file() for hit in hits)


def test_search_table_keeps_one_line_for_each_shot(archive: Path) -> None:
    """A file name with a line break in it does not break the table."""
    lines = _rushes("search", archive, "something red").stdout.splitlines()
    assert 5 == len(lines)
    assert any("line one\\nline two.mp4" in line for line in lines)


def test_search_by_picture(archive: Path) -> None:
    """The shot that a picture was taken from comes first."""
    wanted = json.loads(_rushes("search", archive, "in:*", "--json").stdout)[-1]
    found = json.loads(_rushes("search", archive, "--like", wanted["thumbnail"], "--json", "--limit", "1").stdout)
    assert wanted["shot_id"] == found[0]["shot_id"]
    assert found[0]["score"] > 0.9


def test_shots_and_status_tell_what_is_there(archive: Path, library: Path) -> None:
    """Times are those of the cuts; a failed file is listed with its reason."""
    shots: list[dict[str, Any]] = json.loads(_rushes("shots", archive, "--json").stdout)
    assert [(0.0, 1.0), (1.0, 2.0)] * 2 == [(shot["start_seconds"], shot["end_seconds"]) for shot in shots]
    assert ["start", "cut"] * 2 == [shot["boundary"] for shot in shots]
    status = json.loads(_rushes("status", archive, "--json").stdout)
    assert (2, 4, 1) == (status["videos"], status["shots"], status["failed"])
    assert [str(library / "100% broken.mp4")] == [problem["video"] for problem in status["problems"]]
    told = _rushes("status", archive).stdout.splitlines()
    assert "hours: 0.00" in told
    assert [f"roots: {library} ({next(iter(status['roots']))})"] == [line for line in told if "roots" in line]


@pytest.mark.slow
def test_supercut_is_a_playable_file_with_a_ledger(archive: Path, tmp_path: Path) -> None:
    """Its length is that of its shots, its cuts are proven exact, and the ledger names every clip."""
    film = tmp_path / "film.mp4"
    ran = _rushes("supercut", archive, "something red", "-o", film, "--limit", "3", "--nearest")
    assert "3/3 cuts exact" in ran.stdout
    with av.open(str(film)) as container:
        assert 75 == sum(1 for _ in container.decode(video=0))
    ledger = json.loads((tmp_path / "film.mp4.json").read_text())
    assert 3 == len(ledger["clips"])
    assert "something red" in json.dumps(ledger)
    unused = json.loads(_rushes("search", archive, "something red used:never", "--json", status=None).stdout)
    (again,) = json.loads(_rushes("index", archive, tmp_path, "--json").stdout)
    assert ("skipped", True) == (again["status"], "a film that Rushes made" in again["reason"])
    assert 1 == len(unused)
    assert unused[0]["shot_id"] not in json.dumps(ledger["clips"])
    assert "exists" in _refusal("supercut", archive, "red", "-o", film, "--nearest", status=1)
    absent = ("supercut", archive, "a helicopter in the mountains", "-o", tmp_path / "absent.mp4", "--limit", "1")
    assert "nothing here matches" in _refusal(*absent, status=1)
    assert "1/1 cuts exact" in _rushes(*absent, "--nearest").stdout


def test_presets_choose_the_file_and_refuse_another_ending(archive: Path, tmp_path: Path) -> None:
    """A preset makes what it is named for; an ending or an option that does not fit it is refused in one line."""
    asked = ("supercut", archive, "something red", "--limit", "1", "--nearest")
    ran = _rushes(*asked, "--preset", "gif", "--framing", "smart", "--size", "96x160", "-o", tmp_path / "a.gif")
    assert (0, "1/1 cuts exact") == (ran.returncode, ran.stdout.splitlines()[1])
    assert (tmp_path / "a.gif").read_bytes().startswith(b"GIF89a")
    line = _refusal(*asked, "--preset", "prores", "-o", tmp_path / "a.mp4", status=1)
    assert "give it one of the endings .mov" in line
    line = _refusal(*asked, "--preset", "audio-only", "--size", "64x64", "-o", tmp_path / "a.wav", status=2)
    assert "--size: not with --preset audio-only" in line


def test_footage_is_never_replaced(archive: Path, library: Path) -> None:
    """A video of the archive is no place for a supercut or a timeline, also with --overwrite."""
    video = next(library.glob("line*.mp4"))
    before = video.read_bytes()
    line = _refusal("supercut", archive, "something red", "-o", video, "--overwrite", "--nearest", status=2)
    assert "only read" in line
    assert before == video.read_bytes()


@pytest.mark.slow
def test_a_missing_source_is_left_out_and_named(tmp_path: Path) -> None:
    """What answers and lies nowhere any more is no clip of a film or a timeline, and is told."""
    copy, film = tmp_path / "lib", tmp_path / "film.mp4"
    write_colour_clip(copy / "a.mp4", ["red", "green"])
    write_colour_clip(copy / "b.mp4", ["blue"])
    _rushes("index", tmp_path / "arch", copy, "--model", "demo")
    (copy / "b.mp4").unlink()
    reason = "its file is missing since the last index run"
    told = _rushes("supercut", tmp_path / "arch", "red", "-o", film, "--nearest", "--dry-run").stdout
    assert "2 of 2 clips, 2.00 s" in told
    assert reason in told
    assert not film.exists()
    ran = _rushes("supercut", tmp_path / "arch", "red", "-o", film, "--nearest")
    assert "2/2 cuts exact" in ran.stdout
    assert f"b.mp4, rank 2: {reason}" in ran.stdout
    ledger = json.loads((tmp_path / "film.mp4.json").read_text(encoding="utf-8"))
    assert [reason] == [left["reason"] for left in ledger["left_out"]]
    for ending in (".edl", ".csv"):
        output = tmp_path / f"cut{ending}"
        command = "timeline" if ending == ".edl" else "export"
        ran = _rushes(command, tmp_path / "arch", "red", "-o", output, "--nearest")
        assert "b.mp4" not in output.read_text(encoding="utf-8-sig")
        assert f"b.mp4 left out: {reason}" in ran.stderr
        _rushes(command, tmp_path / "arch", "red", "-o", output, "--nearest", "--overwrite", "--include-missing")
        assert "b.mp4" in output.read_text(encoding="utf-8-sig")


def test_check_finds_nothing_wrong(archive: Path) -> None:
    """A sound archive passes, to the last byte."""
    assert [] == json.loads(_rushes("check", archive, "--read-data", "--json").stdout)


@pytest.mark.slow
def test_repair_indexes_again_what_a_damaged_segment_held(library: Path, tmp_path: Path) -> None:
    """`check` names the segment, `repair` puts it aside and does the video again."""
    folder = tmp_path / "arch"
    _rushes("index", folder, library, "--model", "demo", status=1)
    before = _rushes("shots", folder, "--json").stdout
    segment = next((folder / "segments").rglob("*.parquet"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    assert segment.name in _rushes("check", folder, "--read-data", status=1).stdout
    _rushes("repair", folder)
    assert before == _rushes("shots", folder, "--json").stdout
    assert [] == json.loads(_rushes("check", folder, "--read-data", "--json").stdout)


def test_bad_input_is_one_line_that_says_what_to_do(archive: Path, library: Path, tmp_path: Path) -> None:
    """What, which file, and the way out; exit status 1 or 2."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "archive.json").write_text('{"format": 99, "archive_id": "x"}')
    assert "not an archive" in _refusal("search", tmp_path / "empty", "red", status=2)
    assert "not an archive" in _refusal("status", tmp_path / "nowhere", status=2)
    assert "is a file" in _refusal("index", tmp_path / "file", library, status=2)
    assert "format 99" in _refusal("status", newer, status=1)
    assert "empty" in _refusal("search", archive, "  ", status=2)
    assert "at most 2,000" in _refusal("search", archive, "x" * 10_000, status=2)
    unknown = _refusal("search", archive, "colour:red", status=2)
    assert ("colour" in unknown, "character 1" in unknown) == (True, True), unknown
    assert "quote" in _refusal("search", archive, 'a "red boat', status=2)
    assert "no search" in _refusal("search", archive, "--saved", "nothing", status=2)
    assert "nothing to look for" in _refusal("search", archive, status=2)
    assert "without a name" in _refusal("search", archive, "red", "--save", "", status=2)
    assert "not an archive" in _refusal("ui", tmp_path / "empty", status=2)
    assert "No such file" in _refusal("index", archive, tmp_path / "nothing", "--model", "demo", status=1)
    assert "no videos in" in _refusal("index", archive, tmp_path / "empty", "--model", "demo", status=1)
    inside = archive / "sub"
    assert "inside the archive" in _rushes("index", inside, library, "--model", "demo", status=2).stderr


def test_another_model_than_the_archives_is_refused(archive: Path, library: Path, tmp_path: Path) -> None:
    """Vectors of two models never meet."""
    from tests.tiny_checkpoints import write_tiny_checkpoint

    other = write_tiny_checkpoint(tmp_path / "tiny")
    told = _rushes("index", archive, library, "--model-path", other, status=1).stderr.splitlines()
    assert ("loading the encoder" in told[0], "was indexed with demo" in told[1]) == (True, True), told
    # Seen by the name alone: nothing is looked for, let alone downloaded.
    line = _refusal("index", archive, library, "--model", "ViT-B-32/nobody-has-this", status=1)
    assert "was indexed with demo, not with ViT-B-32/nobody-has-this; leave out --model" in line


def test_a_model_that_is_not_there_names_both_ways_out(library: Path, tmp_path: Path) -> None:
    """The default model cannot be downloaded offline; no empty archive is left behind."""
    line = _refusal("index", tmp_path / "arch", library, status=1)
    assert "--model demo" in line
    assert "--model-path" in line
    assert not (tmp_path / "arch").exists()


def test_a_question_can_filter_exclude_and_ask_for_order(archive: Path) -> None:
    """The query language works from the shell: filters, minus, exact words, A THEN B."""

    def starts(query: str, *options: str) -> list[float]:
        found = json.loads(_rushes("search", archive, query, "--json", *options, status=None).stdout)
        return [hit["start_seconds"] for hit in found]

    assert 2 == len(starts('red in:"line*"'))
    assert [] == starts("red dur:>10s")
    assert 2 == len(starts('"line one"'))
    assert [0.0, 0.0] == starts("something red THEN something green", "--limit", "2")
    assert [1.0] == starts("shape:landscape", "--limit", "1", "--page", "2", "--sort", "file")


def test_sets_are_made_and_found(archive: Path) -> None:
    """A shot goes into a set and is found by its name, until it is taken out."""
    shot_id = json.loads(_rushes("search", archive, "something red", "--json").stdout)[0]["shot_id"]
    made = json.loads(_rushes("sets", archive, "reds & co", "--add", shot_id, "--json").stdout)
    assert [{"name": "reds & co", "stretches": 1}] == made
    found = json.loads(_rushes("search", archive, 'set:"reds & co"', "--json").stdout)
    assert [shot_id] == [hit["shot_id"] for hit in found]
    _rushes("sets", archive, "reds & co", "--remove", shot_id)
    assert [] == json.loads(_rushes("search", archive, 'set:"reds & co"', "--json", status=1).stdout)
    assert "which set" in _refusal("sets", archive, "--add", shot_id, status=2)


def test_nothing_matches_is_said_aside(archive: Path) -> None:
    """The list stays a list; the remark goes to stderr, and the exit status is 1."""
    ran = _rushes("search", archive, "a helicopter in the mountains", "--json", status=1)
    assert 4 == len(json.loads(ran.stdout))
    assert "nothing here matches" in ran.stderr


def test_why_says_where_a_moment_went(archive: Path) -> None:
    """Its shot, its place in every channel and after every stage, and what took it out."""
    name = "line one\nline two.mp4"
    found = json.loads(_rushes("why", archive, name, "0.5s", "something red", "--json").stdout)
    assert 0.0 == found["shot"]["start_seconds"]
    assert "picture" in [channel["channel"] for channel in found["channels"]]
    assert "among the answers" in _rushes("why", archive, name, "0.5s", "something blue").stdout
    assert "does not count as a match" in _rushes("why", archive, name, "0.5s", "something red").stdout
    removed = json.loads(_rushes("why", archive, name, "0.5s", "red dur:>10s", "--json").stdout)
    assert "filter" in removed["reason"]
    beyond = json.loads(_rushes("why", archive, name, "1h", "red", "--json").stdout)
    assert (None, True) == (beyond["shot"], bool(beyond["reason"]))


def test_judging_saving_and_measuring(archive: Path) -> None:
    """What was kept and rejected is remembered and measured; a search has a name; history lists what was asked."""
    query = "something red"
    best, second = (hit["shot_id"] for hit in json.loads(_rushes("search", archive, query, "--json").stdout)[:2])
    kept = ("--keep", second, "--reject", best, "--save", "reds")
    again = json.loads(_rushes("search", archive, query, "--json", *kept).stdout)
    assert second == again[0]["shot_id"]
    assert best not in [hit["shot_id"] for hit in again]
    assert again[0]["confidence"] == 1.0
    judged = json.loads(_rushes("search", archive, "--saved", "reds", "--judged", "--json").stdout)
    assert again[0]["shot_id"] == judged[0]["shot_id"]
    figures = json.loads(_rushes("eval", archive, "--mine", "--json").stdout)
    assert {"fused", "picture"} <= set(figures["channels"])
    assert [query] == [topic["query"] for topic in figures["per_query"]]
    assert ["reds"] == [one["name"] for one in json.loads(_rushes("searches", archive, "--json").stdout)]
    asked = json.loads(_rushes("searches", archive, "--history", "--json").stdout)
    assert query in [past["query"] for past in asked]
    _rushes("searches", archive, "--delete", "reds")
    assert [] == json.loads(_rushes("searches", archive, "--json").stdout)
