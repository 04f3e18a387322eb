"""The page: from a question to ticked shots to a supercut. Started by `rushes ui`; only routes."""

from __future__ import annotations

import os
from functools import partial

import streamlit as st

from search_app.confidence import Certainty
from search_app.cutting.cut_list import build_cut_list
from search_app.saved import record_export
from search_app.ui import panels, resources
from search_app.ui.picks import Picks
from search_app.ui.render_job import RenderJob
from search_app.ui.serve import ARCHIVE_VARIABLE
from search_app.ui.shelf import media_shelf
from store.archive import Archive
from store.errors import ArchiveError


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
    picks = st.session_state.setdefault("picks", Picks())
    question = panels.ask_question()
    show_finished_film()
    show_hits(archive, question, picks)
    with st.sidebar:
        show_supercut(archive, question, picks)


INDEX = "rushes index ARCHIVE FOLDER_OF_VIDEOS"


def show_hits(archive: Archive, question: panels.Question, picks: Picks) -> None:
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
        panels.show_welcome("Nothing found", ["No shot of this archive passes these filters."])
        return
    if result.nothing_matches:
        panels.show_no_match(is_unknown=result.hits[0].certainty is Certainty.UNKNOWN)
    played = panels.show_grid(result.hits, picks, resources.thumbnail_of)
    if played is not None:
        video = archive.snapshot().video(played.shot.video_id)
        panels.play_hit(played, video.facts, lambda: resources.previews().address_of(played, video))


def show_supercut(archive: Archive, question: panels.Question, picks: Picks) -> None:
    """The list of ticked shots, and the rendering of it."""
    job: RenderJob | None = st.session_state.get("job")
    is_rendering = job is not None and job.is_running
    action = panels.show_cut(picks, is_rendering)
    if job is not None and is_rendering:
        panels.show_progress(job)
    if action.removed:
        picks.remove(action.removed)
    if action.clear:
        picks.clear()
    if action.render:
        snapshot = archive.snapshot()
        videos = {video.video_id: video for video in snapshot.videos()}
        hits = picks.ordered(action.order)
        provenance = {
            "query": question.text,
            "embedding_space": snapshot.space and snapshot.space.space_id,
            "archive_generation": snapshot.generation,
        }
        st.session_state.job = RenderJob(
            build_cut_list(hits, videos),
            media_shelf(),
            provenance,
            flags=snapshot.rights(),
            snapshot=snapshot,
            skip_missing=action.skip_missing,
            on_done=lambda report: record_export(archive, question.text or "supercut", report.stretches),
        )
        st.session_state.job.start()
    if action.removed or action.clear or action.render:
        st.rerun()


def show_finished_film() -> None:
    """The last supercut, until it is closed."""
    job: RenderJob | None = st.session_state.get("job")
    if job is not None and not job.is_running and panels.show_result(job):
        del st.session_state.job
        st.rerun()


main()
