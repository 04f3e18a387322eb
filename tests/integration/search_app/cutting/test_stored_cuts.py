"""Cut lists and rights in an archive: kept, refused when late, undone, and there after all caches are gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from search_app.cutting.cut_edits import move_clips
from search_app.cutting.cut_film import clip_of_shot, to_cut_list
from search_app.cutting.rights import Rule, clear_rights, keep_rights, set_rights
from search_app.cutting.stored_cut import (
    StoredCut,
    commit,
    delete_cut,
    list_cuts,
    look_for_cut,
    read_cut,
    redo,
    undo,
)
from search_app.errors import CutError, QueryError, RightsError
from store.archive import Archive, check_archive
from store.events import CutEdited, Forgotten, RightsChanged
from store.timespan import TimeSpan
from tests.integration.store.samples import add_videos, fingerprint_of


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """Two videos, and a cut list of all their shots."""
    with Archive.create(tmp_path / "archive") as made:
        add_videos(made, 1, 2)
        made.publish()
        shots = made.snapshot().shots()
        clips = [clip_of_shot(shot, shot.shot.span.start) for shot in shots]
        commit(made, look_for_cut(made.snapshot(), "cut"), clips, "new", settings={"query": "a boat"})
        yield made


def read(archive: Archive) -> StoredCut:
    """The cut list as it is now."""
    return read_cut(archive.snapshot(), "cut")


def test_undo_and_redo_give_back_the_very_clips(archive: Archive) -> None:
    """And each is a line of the log; nothing is ever overwritten."""
    first = read(archive)
    second = commit(archive, first, move_clips(first.clips, [2], 1).clips, "moved")
    assert first.clips != second.clips == read(archive).clips
    undone = undo(archive, second)
    assert first.clips == undone.clips == read(archive).clips
    assert second.clips == redo(archive, undone).clips == read(archive).clips
    assert ["new", "moved", "undo", "redo"] == [step.action for step in read(archive).steps]
    with pytest.raises(QueryError, match="nothing to redo"):
        redo(archive, read(archive))


def test_the_second_of_two_edits_of_one_version_is_refused(archive: Archive) -> None:
    """With who did what meanwhile; nothing is written then."""
    seen_by_both = read(archive)
    after = commit(archive, seen_by_both, seen_by_both.clips[1:], "removed 1", editor="anna")
    with pytest.raises(QueryError, match=r"changed meanwhile by anna \(removed 1\)"):
        commit(archive, seen_by_both, seen_by_both.clips[:1], "removed all but 1", editor="ben")
    assert after.clips == read(archive).clips
    assert 2 == len(read(archive).steps)


def test_an_edit_written_elsewhere_goes_on_as_a_branch(archive: Archive) -> None:
    """As after two copies of an archive were joined: both are there, each under a name."""
    before = read(archive)
    commit(archive, before, before.clips[1:], "removed 1")
    archive.record([CutEdited("cut", "other", before.version, "kept nothing", "ben", (), {})])
    archive.publish()
    assert ("cut~2",) == read(archive).branches
    assert ["cut", "cut~2"] == [cut.name for cut in list_cuts(archive.snapshot())]
    branch = read_cut(archive.snapshot(), "cut~2")
    assert () == branch.clips
    assert before.clips == undo(archive, branch).clips
    assert before.clips[1:] == read(archive).clips


def test_an_edit_stays_in_its_branch(archive: Archive) -> None:
    """Also when all branches were undone to one version; what the edit gives back is what is read after it."""
    before = read(archive)
    archive.record([CutEdited("cut", name, before.version, name, "ben", (), {}) for name in ("one", "other")])
    archive.publish()
    for name in ("cut", "cut~2"):
        undo(archive, read_cut(archive.snapshot(), name))
    after = commit(archive, read_cut(archive.snapshot(), "cut~2"), before.clips[:1], "kept 1")
    assert after == read_cut(archive.snapshot(), "cut~2")
    assert before.clips == read(archive).clips


def test_a_deleted_cut_list_comes_back(archive: Archive) -> None:
    """By undo; until then it is not listed, and says so."""
    before = read(archive)
    delete_cut(archive, before)
    assert [] == list_cuts(archive.snapshot())
    with pytest.raises(QueryError, match="was deleted"):
        read(archive)
    assert before.clips == undo(archive, look_for_cut(archive.snapshot(), "cut")).clips


def test_it_is_there_after_all_caches_are_gone(archive: Archive) -> None:
    """What people did lies in the edits; the catalog is only made of them."""
    before = read(archive)
    commit(archive, before, move_clips(before.clips, [3], 1).clips, "moved")
    expected = read(archive)
    set_rights(archive, fingerprint_of(1), None, Rule.BLOCK, note="embargo")
    flags = archive.snapshot().rights()
    archive.close()
    for name in ("catalog", "generations", "vectors", "text"):
        shutil.rmtree(archive.folder / name, ignore_errors=True)
    (archive.folder / "CURRENT").unlink()
    with Archive.open(archive.folder) as again:
        assert expected == read(again)
        assert flags == again.snapshot().rights()
        assert [] == check_archive(archive.folder, read_data=True)


def test_a_clip_whose_video_went_is_named_and_stays_in_the_cut_list(archive: Archive) -> None:
    """It is refused when rendered, or left out with a reason."""
    archive.record([Forgotten(fingerprint_of(1))])
    archive.publish()
    clips = read(archive).clips
    with pytest.raises(CutError, match=r"clip 1: .* is not in the archive any more"):
        to_cut_list(archive.snapshot(), clips)
    kept = to_cut_list(archive.snapshot(), clips, skip_missing=True)
    assert len(clips) == len(kept.clips) + len(kept.left_out)
    assert {"its video is not in the archive any more"} == {left.reason for left in kept.left_out}


def test_a_clip_shows_no_picture_from_outside_it(archive: Archive) -> None:
    """What was trimmed away may be blocked: without a frame inside there is no picture, and ends are excluded."""
    clip = read(archive).clips[0]
    times = sorted(frame.time for frame in archive.snapshot().frames_of_shots([clip.shot_id]))

    def picture(start: Fraction, end: Fraction) -> str:
        trimmed = replace(clip, span=TimeSpan(start, end))
        return to_cut_list(archive.snapshot(), [trimmed]).clips[0].hits[0].thumbnail

    assert "" != picture(times[0], times[0] + Fraction(1, 1000))
    assert "" == picture(times[0] - Fraction(1, 1000), times[0])
    assert "" == picture(times[-1] + Fraction(1, 1000), times[-1] + Fraction(2, 1000))


def test_rights_are_set_listed_and_taken_back(archive: Archive) -> None:
    """The whole video and a stretch are two flags; a mark needs a text, a day must be one."""
    video, stretch = fingerprint_of(1), TimeSpan(Fraction(1), Fraction(2))
    set_rights(archive, video, None, Rule.WATERMARK, text="draft")
    set_rights(archive, video, stretch, Rule.BLOCK, until="2027-01-31")
    assert ["watermark", "block"] == [flag.rule for flag in archive.snapshot().rights()]
    assert 1 == clear_rights(archive, video, stretch)
    assert [None] == [flag.span for flag in archive.snapshot().rights()]
    with pytest.raises(QueryError, match="nothing is said"):
        clear_rights(archive, video, stretch)
    with pytest.raises(QueryError, match="is no day"):
        set_rights(archive, video, None, Rule.BLOCK, until="2027-02-31")
    with pytest.raises(QueryError, match="needs a text"):
        set_rights(archive, video, None, Rule.WATERMARK)


def test_a_mark_lifts_no_block(archive: Archive) -> None:
    """Each rule holds for itself, said again it replaces what was said, and all of them go together."""
    video, stretch = fingerprint_of(1), TimeSpan(Fraction(0), Fraction(2))
    assert set_rights(archive, video, stretch, Rule.BLOCK, note="embargo") is None
    assert set_rights(archive, video, stretch, Rule.WATERMARK, text="Courtesy of X") is None
    with pytest.raises(RightsError, match="embargo"):
        keep_rights(to_cut_list(archive.snapshot(), read(archive).clips), archive.snapshot().rights())
    replaced = set_rights(archive, video, stretch, Rule.BLOCK, until="2027-01-31")
    assert replaced is not None
    assert "embargo" == replaced.note
    assert [("watermark", ""), ("block", "2027-01-31")] == [
        (flag.rule, flag.until) for flag in archive.snapshot().rights()
    ]
    assert 2 == clear_rights(archive, video, stretch)
    assert [] == archive.snapshot().rights()


def test_an_archive_takes_back_what_was_said_elsewhere(archive: Archive) -> None:
    """A line that takes back a stretch, as older machines write it, takes back all rules of it."""
    set_rights(archive, fingerprint_of(1), None, Rule.BLOCK)
    set_rights(archive, fingerprint_of(1), None, Rule.WATERMARK, text="draft")
    archive.record([RightsChanged(fingerprint_of(1), "", "", "clear")])
    archive.publish()
    assert [] == archive.snapshot().rights()
