"""What a run says of files that need a person's eye."""

import pytest

from indexer.commands.archive_commands import _outcome_json, _remarks, _summary
from indexer.library.listing import PassedOver
from store.records import Outcome, Status

FOLDER = Outcome("/card", Status.PASSED_OVER, "3 files (.jpg 2, .txt 1)", endings={".jpg": 2, ".txt": 1})


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("/a.mp4", Status.INDEXED), []),
        (Outcome("/a.mp4", Status.INDEXED, warnings=("it pauses",)), ["notice: /a.mp4: it pauses"]),
        (Outcome("/a.mp4", Status.INDEXED, partial=True, warnings=("x", "y")), ["partial: /a.mp4: x; y"]),
        (FOLDER, ["passed over: /card: 3 files (.jpg 2, .txt 1)"]),
    ],
)
def test_remarks(outcome: Outcome, expected: list[str]) -> None:
    """Damage, notices and what was passed over; nothing of a video that is sound."""
    assert expected == _remarks(outcome)


def test_a_folder_is_no_file_of_the_summary_but_programs_hear_of_it() -> None:
    """Its endings are counted in the JSON alone."""
    indexed = Outcome("/card/a.mp4", Status.INDEXED, n_shots=2)
    assert "1 indexed; 2 new shots" == _summary([FOLDER, indexed])
    assert {".jpg": 2, ".txt": 1} == _outcome_json(FOLDER)["endings"]
    assert "endings" not in _outcome_json(indexed)


def test_many_endings_are_summed_up() -> None:
    """The commonest eight by name; what patterns leave out apart."""
    endings = {f".e{number}": 20 - number for number in range(10)}
    text = PassedOver(root=FOLDER.path, endings=endings, n_by_pattern=4).describe()  # type: ignore[arg-type]
    assert text.startswith("159 files (.e0 20, .e1 19, ")
    assert text.endswith(".e7 13, others 23, by pattern 4)")
