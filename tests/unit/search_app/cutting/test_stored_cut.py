"""Which version of a cut list counts."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from search_app.cutting.stored_cut import CutClip, State, follow_steps
from store.records import CutStep
from store.timespan import TimeSpan


def step(version: str, parent: str, *, is_move: bool = False, branch: str = "") -> CutStep:
    return CutStep(version, parent, is_move, "", "", 0, 0, {}, branch)


@given(st.lists(st.sampled_from(["edit", "undo", "redo"]), max_size=30))
def test_undo_and_redo_are_a_walk_through_the_versions(actions: list[str]) -> None:
    """As with two piles of plates: undo goes to the parent, redo comes back, an edit empties the pile of redo."""
    steps = [step("v0", "")]
    parents, head, redo = {"v0": ""}, "v0", [""][:0]
    for number, action in enumerate(actions, start=1):
        if action == "edit":
            steps.append(step(f"v{number}", head))
            parents[f"v{number}"], head, redo = head, f"v{number}", []
        elif action == "undo" and parents[head]:
            steps.append(step(parents[head], head, is_move=True))
            redo.append(head)
            head = parents[head]
        elif action == "redo" and redo:
            steps.append(step(redo[-1], head, is_move=True))
            head = redo.pop()
        assert {"cut": (head, redo[-1] if redo else "")} == follow_steps("cut", steps)


def test_edits_made_without_knowing_of_each_other_become_branches() -> None:
    """The first in the order of all events counts, the other goes on under a name of its own; both go on."""
    steps = [step("a", ""), step("b", "a"), step("c", "a"), step("d", "c"), step("e", "b")]
    assert {"cut": ("e", ""), "cut~2": ("d", "")} == follow_steps("cut", steps)


def test_branches_that_are_back_at_one_version_stay_apart() -> None:
    """A step goes on with the branch that it names, where that is at its version."""
    both_back = [
        step("a", ""),
        step("b", "a"),
        step("c", "a"),
        step("a", "b", is_move=True, branch="cut"),
        step("a", "c", is_move=True, branch="cut~2"),
    ]
    edited = [*both_back, step("d", "a", branch="cut~2")]
    assert {"cut": ("a", "b"), "cut~2": ("d", "")} == follow_steps("cut", edited)
    redone = [*both_back, step("c", "a", is_move=True, branch="cut~2")]
    assert {"cut": ("a", "b"), "cut~2": ("c", "")} == follow_steps("cut", redone)
    joined = [*both_back[:3], step("d", "c", branch="cut")]  # its own machine knew it by that name
    assert {"cut": ("b", ""), "cut~2": ("d", "")} == follow_steps("cut", joined)


def test_an_undo_that_came_too_late_means_nothing() -> None:
    """Somebody else's edit stays."""
    steps = [step("a", ""), step("b", "a"), step("c", "b"), step("a", "b", is_move=True)]
    assert {"cut": ("c", "")} == follow_steps("cut", steps)


def test_a_clip_comes_back_from_plain_data() -> None:
    """To the last digit of its times."""
    span = TimeSpan(Fraction(1001, 30_000), Fraction(7, 3))
    clip = CutClip(
        "f", span, Fraction(1, 7), "/v.mp4", "s", "a boat", 3, 0.25, 0.5, Fraction(1, 2), Fraction(0), "ok"
    )
    assert clip == CutClip.from_plain(clip.to_plain())
    assert not CutClip("f", span, Fraction(1), "/v.mp4", state=State.REJECTED).is_wanted
