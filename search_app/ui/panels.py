"""The parts of the page: each shows what it is given and returns what the visitor did.

Whatever comes from files (names, paths, reasons) is shown by `st.text` or as a widget's value; markdown gets only
words and numbers that are written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st

from indexer.library.presence import Presence
from search_app.ui.picks import Order, ordered
from search_app.ui.wording import counts_text, length_text, name_of, span_text, sure_text
from store.names import display_names
from store.wording import n_of, printable

if TYPE_CHECKING:
    from fractions import Fraction

    from search_app.cutting.stored_cut import CutClip, StoredCut
    from search_app.rendering.outcomes import SupercutReport
    from search_app.search.ranking import Hit
    from search_app.ui.render_job import RenderJob
    from store.records import Counts, VideoFacts

LIMITS = (12, 24, 60, 120)
_CARD_WIDTH_PX = 210
_REFRESH_SECONDS = 0.5


def show_problem(what: str, reason: str, key: str | None = None) -> None:
    """One line about something that went wrong.

    Args:
        what: our own words; markdown.
        reason: words that may hold names of files; plain text.
        key: names the box for tests.
    """
    with st.container(border=True, key=key, gap="xxsmall"):
        st.markdown(f":red[:material/error:] **{what}**")
        st.text(printable(reason))


def ask_archive(default: str) -> str:
    """The path of the archive that the visitor names."""
    if "archive" not in st.session_state:
        st.session_state.archive = default
    return str(st.text_input("Archive folder", key="archive", placeholder="/path/to/archive")).strip()


def show_counts(counts: Counts) -> None:
    """Counts of an archive."""
    st.caption(counts_text(counts))


@dataclass(frozen=True, slots=True)
class Question:
    """The question.

    Args:
        text: the words, as typed.
        limit: how many shots at most.
    """

    text: str
    limit: int


def ask_question() -> Question:
    """The visitor's question; it lives in the address, so that it can be kept and shared."""
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    with left:
        text = st.text_input(
            "What does the shot show?",
            key="q",
            bind="query-params",
            placeholder="a red boat on the sea at night",
            icon=":material/search:",
        )
    with right:
        limit = st.selectbox("Shots", LIMITS, index=1, key="shots", bind="query-params")
    return Question(str(text), int(limit))


def show_grid(
    hits: Sequence[Hit],
    is_picked: Callable[[Hit], bool],
    on_pick: Callable[[Hit, bool], None],
    thumbnail: Callable[[str], bytes],
    names: Mapping[str, str] | None = None,
    files: Mapping[str, Presence] | None = None,
) -> Hit | None:
    """Ranked shots as cards.

    Args:
        hits: best first.
        is_picked: whether a hit is ticked now, whichever tab ticked it.
        on_pick: told, before the page is drawn anew, that a box was ticked or its tick taken away.
        thumbnail: gives the picture at a path.
        names: what files are called, by path; their bare names if None.
        files: where the file of each video lies now; those that are not there are marked.

    Returns:
        The hit that is to be played, if one was clicked.
    """
    played = None
    grid = st.grid(min_column_width=_CARD_WIDTH_PX, gap="small", key="hits")
    for hit in hits:
        with grid.cell(), st.container(border=True, gap="xsmall"):
            presence = (files or {}).get(hit.shot.video_id) or Presence(hit.shot.path)
            if _show_card(hit, is_picked, on_pick, thumbnail, names, presence):
                played = hit
    return played


def _show_card(
    hit: Hit,
    is_picked: Callable[[Hit], bool],
    on_pick: Callable[[Hit, bool], None],
    thumbnail: Callable[[str], bytes],
    names: Mapping[str, str] | None,
    presence: Presence,
) -> bool:
    shot_id = hit.shot.shot_id
    st.image(thumbnail(hit.thumbnail), width="stretch", alt=f"Shot {hit.rank}")
    st.text(name_of(presence.path, names=names))
    if not presence.is_there:
        st.text(printable(presence.mark))
    st.caption(f"{span_text(hit.span)} · {sure_text(hit)}")
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
    ):
        played = st.button("Play", icon=":material/play_arrow:", key=f"play-{shot_id}", type="tertiary")
        key = f"pick-{shot_id}"
        st.session_state[key] = is_picked(hit)  # what is stored holds: another tab may have changed it
        st.checkbox("Pick", key=key, on_change=lambda: on_pick(hit, bool(st.session_state[key])))
    return played


def ask_tick_matches(n_matches: int) -> bool:
    """A button that ticks the matches of an answer; whether it was clicked."""
    text = "Tick the match" if n_matches == 1 else f"Tick the {n_matches} matches"
    return bool(st.button(text, key="tick-matches", icon=":material/done_all:", type="tertiary"))


def show_no_match(*, is_unknown: bool) -> None:
    """Say that no shot counts as an answer, above the nearest ones.

    Args:
        is_unknown: whether that is so because the archive holds too little to say.
    """
    why = " for certain: too few frames to say" if is_unknown else ""
    st.info(f"Nothing here matches{why}. These are only the nearest shots.", icon=":material/search_off:")


def show_remarks(remarks: Sequence[str]) -> None:
    """Say what was found nothing of, and why; what was typed may stand in it."""
    for remark in remarks:
        st.text(printable(remark))


def absolute_address(address: str) -> str:
    """An address on this server as the browser writes it; Streamlit takes relative ones for files."""
    here = urlsplit(str(st.context.url or "http://localhost"))
    return f"{here.scheme}://{here.netloc}{address}"


def fitted_width(width_px: int, height_px: int, most_width_px: int, most_height_px: int) -> int:
    """Width for a picture of that shape, so that portrait films do not run off the page."""
    return max(1, min(most_width_px, most_height_px * width_px // height_px))


@st.dialog("Shot", width="medium")
def play_hit(
    hit: Hit,
    facts: VideoFacts,
    make_preview: Callable[[], str],
    start_seconds: float = 0.0,
    captions: Sequence[str] = (),
) -> None:
    """Play a shot from its first frame, or from the word by which it was found, to its last.

    Args:
        hit: the shot.
        facts: its video's, for the shape.
        make_preview: makes its preview and gives the address; raises `ArchiveError` if that fails.
        start_seconds: where in the preview to begin.
        captions: what is written about it, whatever they hold.
    """
    from store.errors import ArchiveError

    try:
        with st.spinner("Cutting the shot"):
            address = make_preview()
    except ArchiveError as error:
        show_problem("This shot cannot be played", str(error))
    else:
        width_px = fitted_width(facts.width_px, facts.height_px, 700, 480)
        st.video(
            absolute_address(address),
            autoplay=True,
            loop=True,
            width=width_px,
            alt=f"Shot {hit.rank}",
            start_time=start_seconds,
        )
    span = hit.span
    st.caption(f"{span_text(span)} · {length_text(span.duration)} · {sure_text(hit)} · rank {hit.rank}")
    for caption in captions:
        st.text(printable(" ".join(caption.split())))
    st.text(printable(hit.shot.path))


@dataclass(frozen=True, slots=True)
class CutAction:
    """The visitor's action on the list of ticked shots.

    Args:
        order: how they are to follow each other.
        skip_missing: go on without clips that cannot be rendered.
        render: rendering was asked for.
        clear: all ticks are to go.
        undo: the last change of the ticks is to be taken back.
        removed: place in the list of the clip that is to go, from 1.
    """

    order: Order
    skip_missing: bool
    render: bool = False
    clear: bool = False
    undo: bool = False
    removed: int | None = None


def show_cut(
    picks: StoredCut, duration: Fraction, is_rendering: bool, names: Mapping[str, str] | None = None
) -> CutAction:
    """The ticked shots, their length, and the button that renders them.

    Args:
        picks: the list.
        duration: length of their film in seconds.
        is_rendering: whether a film is in the making.
        names: what files are called, by path; their bare names if None.
    """
    st.subheader("Supercut")
    if not picks.clips:
        st.caption("Pick shots in the grid; they are joined here.")
        undo = bool(picks.undo_to) and st.button("Undo", key="undo", type="tertiary", icon=":material/undo:")
        return CutAction(Order.TICKED, skip_missing=False, undo=undo)
    order = Order(
        st.segmented_control(
            "Order", list(Order), default=Order.TICKED, key="order", required=True, width="stretch"
        )
    )
    removed = None
    with st.container(key="cut-list", gap="xxsmall", height=300 if len(picks.clips) > 6 else "content"):
        for number, (place, clip) in enumerate(ordered(picks, order), start=1):
            if _show_clip(number, place, clip, names):
                removed = place
    st.markdown(f"**{n_of(len(picks.clips), 'clip')} · {length_text(duration)} in total**")
    skip = st.checkbox("Skip clips that cannot be rendered", key="skip-missing")
    with st.container(horizontal=True):
        render = st.button("Render", type="primary", icon=":material/movie:", key="render", disabled=is_rendering)
        undo = bool(picks.undo_to) and st.button("Undo", key="undo", type="tertiary")
        clear = st.button("Clear", key="clear", type="tertiary")
    return CutAction(order, bool(skip), render, clear, undo, removed)


def _show_clip(number: int, place: int, clip: CutClip, names: Mapping[str, str] | None) -> bool:
    span = clip.span
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        with st.container(gap=None):
            st.text(f"{number}  {name_of(clip.path, 22, names)}")
            st.caption(f"{span_text(span)} · {length_text(span.duration)}")
        return st.button(":material/close:", key=f"remove-{place}-{clip.shot_id}", type="tertiary")


def ask_film_again() -> bool:
    """A button that shows a film that was closed; whether it was clicked."""
    return bool(st.button("Show the last film", key="show-film", icon=":material/movie:", type="tertiary"))


@st.fragment(run_every=_REFRESH_SECONDS)
def show_progress(job: RenderJob) -> None:
    """Show the progress of a rendering, drawn anew by itself, with a button that stops it."""
    if not job.is_running:
        st.rerun()
    st.progress(min(1.0, job.fraction), text=job.status_line())
    if st.button("Cancel", key="cancel", disabled=job.is_cancelled):
        job.cancel()


def show_result(job: RenderJob) -> bool:
    """A rendering that has ended: the film, whether its cuts are exact, a download; or why there is none.

    Returns:
        Whether the visitor has seen enough of it.
    """
    if job.is_cancelled and job.report is None:
        st.caption("Rendering was cancelled; nothing was kept.")
        return st.button("Close", key="close-result")
    if job.report is None:
        show_problem("No supercut was made", job.problem, key="render-problem")
        st.caption("Tick “Skip clips that cannot be rendered” to go on without them.")
        return st.button("Close", key="close-result")
    profile = job.report.profile
    with st.container(border=True, horizontal=True, gap="medium", key="supercut"):
        width_px = fitted_width(profile.width_px, profile.height_px, 560, 320)
        st.video(absolute_address(job.address), width=width_px, alt="The supercut")
        with st.container(width=260):
            return _show_report(job.report, absolute_address(job.address), job.losses)


def _show_report(report: SupercutReport, address: str, losses: Sequence[str]) -> bool:
    st.markdown("#### Your supercut")
    st.caption(f"{n_of(len(report.done), 'clip')} · {length_text(report.duration)}")
    mark = ":green[:material/verified:]" if report.is_exact else ":orange[:material/warning:]"
    st.markdown(f"{mark} **{report.n_exact}/{len(report.done)} cuts exact**")
    for problem in (*_problems(report), *losses):
        st.text(printable(problem))
    with st.container(horizontal=True):
        st.link_button(
            "Download", f"{address}?download", type="primary", icon=":material/download:", key="download"
        )
        st.link_button("Manifest", f"{address}?manifest", icon=":material/receipt_long:", key="manifest")
        return st.button("Close", key="close-result", type="tertiary")


def _problems(report: SupercutReport) -> list[str]:
    """One line for everything that is not as it was asked for."""
    lines = [] if report.is_exact else [report.verification_line()]
    names = display_names(
        [*(str(clip.source) for clip in report.skipped), *(left.hit.shot.path for left in report.left_out)]
    )
    lines += [f"skipped: {name_of(str(clip.source), names=names)}: {clip.reason}" for clip in report.skipped]
    lines += [f"left out: {name_of(left.hit.shot.path, names=names)}: {left.reason}" for left in report.left_out]
    return lines


def show_welcome(title: str, lines: Sequence[str], command: str = "") -> None:
    """An empty page that says what to do next, in our own words."""
    with st.container(border=True, horizontal_alignment="center", key="welcome"):
        st.subheader(title, text_alignment="center")
        for line in lines:
            st.caption(line, text_alignment="center")
        if command:
            st.code(command, language=None)
