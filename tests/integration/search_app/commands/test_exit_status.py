"""Exit status of the commands that cut: 2 for what was typed wrong, 1 for what failed or found nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from search_app.cli import main
from tests.e2e.small_archive import draw_library, index_library

pytestmark = pytest.mark.slow

QUERY = "a red boat on the sea"
NO_SHOTS = "dur:>1h"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with the cut list `boats`; clip1.mp4 is blocked."""
    made = tmp_path_factory.mktemp("status")
    draw_library(made / "library")
    index_library(made / "A", made / "library")
    for command in (
        ["cut", "new", made / "A", "boats", QUERY, "--limit", "4", "--nearest"],
        ["rights", made / "A", "clip1.mp4", "--block"],
    ):
        assert 0 == run(*map(str, command)).exit_code
    return made


def run(*arguments: str) -> Result:
    """What came of a command."""
    return CliRunner().invoke(main, arguments)


TYPED_WRONG = [
    "cut show A nope",
    "cut log A nope",
    "cut undo A nope",
    "cut redo A nope",
    "cut delete A nope",
    "cut candidates A nope",
    "cut swap A nope 1",
    "cut order A nope look",
    "cut fit A nope 10",
    "cut trim A nope 1 --in +1f",
    "cut accept A nope 1",
    "cut add A nope boat",
    "cut render A nope -o OUT/x.mp4",
    "cut export A nope -o OUT/x.csv",
    "cut export A nope -o OUT/x.otio",
    "cut new A boats boat",
    "cut new A n --shot nope",
    "cut new A n --range nofile.mp4 0 1",
    "cut new A n --range clip0.mp4 0 99:99:99:99",
    "cut new A n --range clip0.mp4 1 0",
    "cut new A n --saved nope",
    "cut new A n (boat",
    "cut new A n --shot nope --limit 3",
    "cut add A boats --candidates --limit 3",
    "cut add A boats --shot nope",
    "cut trim A boats 9 --in +1f",
    "cut trim A boats 1 --in soon",
    "cut trim A boats 1 --in 00:00:00:99",
    "cut split A boats 1 soon",
    "cut move A boats 1 9",
    "cut swap A boats 9",
    "cut swap A boats 1 --take 1 --json",
    "cut order A boats look --seed 0",
    "cut new A n --shot nope --nearest",
    "searches A --delete x --history",
    "cut show B boats",
    "cut new B n boat",
    "cut list B",
    "supercut B boat -o OUT/x.mp4",
    "supercut A (boat -o OUT/x.mp4",
    "supercut A like:shot/nope -o OUT/x.mp4",
    "supercut A boat --saved nope -o OUT/x.mp4",
    "supercut A -o OUT/x.mp4",
    "timeline B boat -o OUT/x.otio",
    "timeline A (boat -o OUT/x.otio",
    "timeline A boat --path-map x -o OUT/x.otio",
    "timeline A boat --rate 31 -o OUT/x.otio",
    "export B boat -o OUT/x.csv",
    "export A like:nofile.jpg -o OUT/x.csv",
    "export A boat --min-clip 2 -o OUT/x.csv",
    "rights B",
    "rights A nofile.mp4 --block",
    "rights A clip0.mp4 --block --from 00:00:00:99",
    "rights A clip0.mp4 --block --from 1 --to 0",
    "rights A clip0.mp4 --block --until soon",
    "rights A clip0.mp4 --clear --from 0 --to 1",
]
FAILED = [
    f"supercut A {NO_SHOTS} -o OUT/x.mp4",
    f"timeline A {NO_SHOTS} -o OUT/x.otio",
    f"export A {NO_SHOTS} -o OUT/x.csv",
    f"cut new A n {NO_SHOTS}",
    "supercut A in:clip1.mp4 -o OUT/x.mp4",
    "supercut A in:clip1.mp4 --skip-blocked -o OUT/x.mp4",
    "timeline A in:clip1.mp4 -o OUT/x.otio",
    "export A in:clip1.mp4 -o OUT/x.csv",
    "cut render A boats -o OUT/x.mp4",
    "cut export A boats -o OUT/x.csv",
    "cut export A boats -o OUT/x.edl",
    "export A in:clip0.mp4 -o OUT/nofolder/x.csv",
    "timeline A in:clip0.mp4 -o OUT/nofolder/x.otio",
]


@pytest.mark.parametrize(
    ("line", "status"), [*((line, 2) for line in TYPED_WRONG), *((line, 1) for line in FAILED)]
)
def test_what_cannot_be_done_is_one_line_and_a_status(
    line: str, status: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written, the cut list is as it was, and there never is a traceback."""
    monkeypatch.chdir(folder)
    ran = CliRunner().invoke(main, line.replace("OUT", str(tmp_path)).split())
    (said,) = ran.stderr.splitlines()
    assert said.startswith("rushes")
    assert "a fault of ours" not in said
    assert (status, "") == (ran.exit_code, ran.stdout)
    assert [] == list(tmp_path.iterdir())
    shown = CliRunner().invoke(main, ["cut", "show", "A", "boats", "--json"])
    assert (1, 4) == (json.loads(shown.stdout)["number"], len(json.loads(shown.stdout)["clips"]))
