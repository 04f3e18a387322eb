"""The page: from a question to ticked shots to a supercut. Started by `rushes ui`; only routes."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from indexer.library.presence import look_for_shots
from search_app.confidence.certainty import Certainty
from search_app.cutting.stored_cut import PICKS
from search_app.ui import panels, picks, resources
from search_app.ui.media_cache import media_shelf
from search_app.ui.render_job import RenderJob, begin_job, latest_job
from search_app.ui.serve import ARCHIVE_VARIABLE
from search_app.use_cases.options import StoredSource
from store.archive import Archive
from store.errors import ArchiveError

if TYPE_CHECKING:
    from search_app.search.ranking import Hit


def main() -> None:
    """Draw the page once; Streamlit calls this whenever the visitor did something."""
    st.set_page_config(page_title="Rushes", page_icon="🎬", layout="wide")
    with st.sidebar:
        st.title("Rushes", anchor=False)
        folder = panels.ask_archive(os.environ.get(ARCHIVE_VARIABLE, ""))
    if not folder:
        panels.show_welcome("Choose an archive", ["Name its folder on the left. A new one is filled by:"], INDEX)
        return
    try:
        archive = resources.open_archive(folder)
        snapshot = archive.snapshot()
    except ArchiveError as error:
        panels.show_problem("This archive cannot be opened", str(error), key="archive-problem")
        return
    counts = snapshot.counts()
    with st.sidebar:
        panels.show_counts(counts)
    if snapshot.space is None or not counts.shots:
        panels.show_welcome(
            "This archive is still empty", ["Fill it, then ask; the page need not restart."], INDEX
        )
        return
    resources.begin_loading(snapshot.space)
    question = panels.ask_question()
    close_film_of_earlier_search(archive, question)
    show_what_went_wrong()
    show_finished_film(archive)
    show_hits(archive, question)
    with st.sidebar:
        show_supercut(archive, question)


INDEX = "rushes index ARCHIVE FOLDER_OF_VIDEOS"


def show_hits(archive: Archive, question: panels.Question) -> None:
    """Answer the question with a grid, and play the hit that is clicked."""
    space = archive.snapshot().space
    if not question.text.strip() or space is None:
        panels.show_welcome("Describe a shot", ["A thing, a place, a mood: plain words are enough."])
        return
    try:
        with st.spinner("Searching; the first words wait for the model that reads them"):
            load = partial(resources.loaded_encoder, space)
            result = resources.find_answer(archive, load, question.text, question.limit)
    except ArchiveError as error:
        panels.show_problem("This question cannot be answered", str(error), key="query-problem")
        return
    if not result.hits:
        panels.show_welcome("Nothing found", [])
        panels.show_remarks(result.remarks)
        return
    panels.show_remarks(result.remarks)
    if result.nothing_matches:
        panels.show_no_match(is_unknown=result.hits[0].certainty is Certainty.UNKNOWN)
    ticked = picks.read_picks(archive.snapshot())
    waiting = [hit for hit in result.hits if hit.is_match and not picks.is_picked(ticked, hit)]
    if waiting and panels.ask_tick_matches(len(waiting)):
        change_picks(lambda: picks.tick(archive, waiting, question.text))
        st.rerun()

    def on_pick(hit: Hit, is_ticked: bool) -> None:
        if is_ticked:
            change_picks(lambda: picks.tick(archive, [hit], question.text))
        else:
            change_picks(lambda: picks.untick(archive, [part.shot.shot_id for part in hit.parts]))

    files = look_for_shots(archive.snapshot(), (hit.shot for hit in result.hits))
    names = archive.snapshot().display_names()
    played = panels.show_grid(
        result.hits, partial(picks.is_picked, ticked), on_pick, resources.thumbnail_of, names, files
    )
    if played is not None:
        from search_app.ui.previews import preview_start  # brings the renderer

        video = archive.snapshot().video(played.shot.video_id)
        make = partial(resources.previews().address_of, played, video)
        captions = resources.captions_of(archive.snapshot(), played)
        panels.play_hit(played, video.facts, make, preview_start(played).offset_seconds, captions)


def change_picks(change: Callable[[], list[str] | None]) -> None:
    """Change the ticked shots; what could not be done is said when the page is drawn anew."""
    try:
        left_out = change()
    except ArchiveError as error:
        st.session_state.problem = ("The picks were not changed", str(error))
    else:
        if left_out:
            st.session_state.problem = ("Not picked", "; ".join(left_out))


def show_what_went_wrong() -> None:
    """Show the failure of the last click, once."""
    if "problem" in st.session_state:
        what, reason = st.session_state.pop("problem")
        panels.show_problem(what, reason, key="action-problem")


def show_supercut(archive: Archive, question: panels.Question) -> None:
    """The list of ticked shots, and the rendering of it."""
    snapshot = archive.snapshot()
    job = latest_job(archive.folder)
    is_rendering = job is not None and job.is_running
    ticked = picks.read_picks(snapshot)
    length = picks.duration_of(snapshot, ticked)
    action = panels.show_cut(ticked, length, is_rendering, snapshot.display_names())
    if job is not None and is_rendering:
        panels.show_progress(job)
    elif job is not None and job.is_closed and job.report is not None and panels.ask_film_again():
        job.is_closed = False
        st.rerun()
    removed = action.removed
    if removed is not None:
        change_picks(lambda: picks.remove_place(archive, ticked, removed))
    if action.clear:
        change_picks(lambda: picks.clear(archive))
    if action.undo:
        change_picks(lambda: picks.undo(archive))
    if action.render:
        render_picks(archive, question, action)
    if removed is not None or action.clear or action.undo or action.render:
        st.rerun()


def render_picks(archive: Archive, question: panels.Question, action: panels.CutAction) -> None:
    """Begin the film of the ticked shots."""
    source = StoredSource(PICKS, action.skip_missing, best_first=action.order is picks.Order.SCORE)
    job = RenderJob(
        archive,
        source,
        media_shelf(),
        skip_missing=action.skip_missing,
        use_name=question.text or "supercut",
    )
    st.session_state.job = begin_job(archive.folder, job)


def close_film_of_earlier_search(archive: Archive, question: panels.Question) -> None:
    """A finished film makes way for the answer to the next question; a running one goes on."""
    asked = (str(archive.folder), question)
    before = st.session_state.get("asked", asked)
    st.session_state.asked = asked
    job = latest_job(archive.folder)
    if job is not None and not job.is_running and before[0] == asked[0] and before != asked:
        job.is_closed = True


def show_finished_film(archive: Archive) -> None:
    """The last supercut of the archive, until it is closed or something else is asked."""
    job = latest_job(archive.folder)
    if job is None or job.is_running or job.is_closed:
        return
    if panels.show_result(job):
        job.is_closed = True
        st.rerun()


main()
