"""The parts of the page: each shows what it is given and returns what the visitor did.

Whatever comes from files (names, paths, reasons) is shown by `st.text` or as a widget's value; markdown gets only
words and numbers that are written here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st

from search_app.ui.picks import Order, Picks
from search_app.ui.wording import counts_text, length_text, name_of, one_line, span_text, sure_text
from store.wording import n_of

if TYPE_CHECKING:
    from search_app.ranking import Hit
    from search_app.rendering.outcomes import SupercutReport
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
        st.text(one_line(reason))


def ask_archive(default: str) -> str:
    """The path of the archive that the visitor names."""
    if "archive" not in st.session_state:
        st.session_state.archive = default
    return str(st.text_input("Archive folder", key="archive", placeholder="/path/to/archive")).strip()


def show_counts(counts: Counts) -> None:
    """How much is in the archive."""
    st.caption(counts_text(counts))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

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


def show_grid(hits: Sequence[Hit], picks: Picks, thumbnail: Callable[[str], bytes]) -> Hit | None:
    """Ranked shots as cards; ticks go to `picks`.

    Returns:
        The hit that is to be played, if one was clicked.
    """
    played = None
    grid = st.grid(min_column_width=_CARD_WIDTH_PX, gap="small", key="hits")
    for hit in hits:
        with grid.cell(), st.container(border=True, gap="xsmall"):
            if _show_card(hit, picks, thumbnail):
                played = hit
    return played


def _show_card(hit: Hit, picks: Picks, thumbnail: Callable[[str], bytes]) -> bool:
    shot_id = hit.shot.shot_id
    st.image(thumbnail(hit.thumbnail), width="stretch", alt=f"Shot {hit.rank}")
    st.text(name_of(hit.shot.path))
    st.caption(f"{span_text(hit.span)} · {sure_text(hit)}")
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
    ):
        played = st.button("Play", icon=":material/play_arrow:", key=f"play-{shot_id}", type="tertiary")
        key = f"pick-{shot_id}-{picks.version}"
        if key not in st.session_state:
            st.session_state[key] = hit in picks
        picks.set(hit, st.checkbox("Pick", key=key))
    return played


def show_no_match(*, is_unknown: bool) -> None:
    """Say that no shot counts as an answer, above the nearest ones.

    Args:
        is_unknown: whether that is so because the archive holds too little to say.
    """
    why = " for certain: too few frames to say" if is_unknown else ""
    st.info(f"Nothing here matches{why}. These are only the nearest shots.", icon=":material/search_off:")


def absolute_address(address: str) -> str:
    """An address on this server as the browser writes it; Streamlit takes relative ones for files."""
    here = urlsplit(str(st.context.url or "http://localhost"))
    return f"{here.scheme}://{here.netloc}{address}"


def fitted_width(width_px: int, height_px: int, most_width_px: int, most_height_px: int) -> int:
    """How wide a picture of that shape is to be shown, so that portrait films do not run off the page."""
    return max(1, min(most_width_px, most_height_px * width_px // height_px))


@st.dialog("Shot", width="medium")
def play_hit(hit: Hit, facts: VideoFacts, make_preview: Callable[[], str]) -> None:
    """Play a shot from its first frame to its last.

    Args:
        hit: the shot.
        facts: its video's, for the shape.
        make_preview: makes its preview and gives the address; raises `ArchiveError` if that fails.
    """
    from store.errors import ArchiveError

    try:
        with st.spinner("Cutting the shot"):
            address = make_preview()
    except ArchiveError as error:
        show_problem("This shot cannot be played", str(error))
    else:
        width_px = fitted_width(facts.width_px, facts.height_px, 700, 480)
        st.video(absolute_address(address), autoplay=True, loop=True, width=width_px, alt=f"Shot {hit.rank}")
    span = hit.span
    st.caption(f"{span_text(span)} · {length_text(span.duration)} · {sure_text(hit)} · rank {hit.rank}")
    st.text(one_line(hit.shot.path))


@dataclass(frozen=True, slots=True)
class CutAction:
    """What the visitor did with the list of ticked shots.

    Args:
        order: how they are to follow each other.
        skip_missing: go on without clips that cannot be rendered.
        render: rendering was asked for.
        clear: all ticks are to go.
        removed: shot that is to go.
    """

    order: Order
    skip_missing: bool
    render: bool = False
    clear: bool = False
    removed: str | None = None


def show_cut(picks: Picks, is_rendering: bool) -> CutAction:
    """The ticked shots, their length, and the button that renders them."""
    st.subheader("Supercut")
    if not picks:
        st.caption("Pick shots in the grid; they are joined here.")
        return CutAction(Order.TICKED, skip_missing=False)
    order = Order(
        st.segmented_control(
            "Order", list(Order), default=Order.TICKED, key="order", required=True, width="stretch"
        )
    )
    removed = None
    with st.container(key="cut-list", gap="xxsmall", height=300 if len(picks) > 6 else "content"):
        for place, hit in enumerate(picks.ordered(order), start=1):
            if _show_clip(place, hit):
                removed = hit.shot.shot_id
    st.markdown(f"**{n_of(len(picks), 'clip')} · {length_text(picks.duration)} in total**")
    skip = st.checkbox("Skip clips that cannot be rendered", key="skip-missing")
    with st.container(horizontal=True):
        render = st.button("Render", type="primary", icon=":material/movie:", key="render", disabled=is_rendering)
        clear = st.button("Clear", key="clear", type="tertiary")
    return CutAction(order, bool(skip), render, clear, removed)


def _show_clip(place: int, hit: Hit) -> bool:
    span = hit.span
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        with st.container(gap=None):
            st.text(f"{place}  {name_of(hit.shot.path, 22)}")
            st.caption(f"{span_text(span)} · {length_text(span.duration)}")
        return st.button(":material/close:", key=f"remove-{hit.shot.shot_id}", type="tertiary")


@st.fragment(run_every=_REFRESH_SECONDS)
def show_progress(job: RenderJob) -> None:
    """How far a rendering is, drawn anew by itself, with a button that stops it."""
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
        st.text(one_line(problem))
    with st.container(horizontal=True):
        st.link_button(
            "Download", f"{address}?download", type="primary", icon=":material/download:", key="download"
        )
        st.link_button("Manifest", f"{address}?manifest", icon=":material/receipt_long:", key="manifest")
        return st.button("Close", key="close-result", type="tertiary")


def _problems(report: SupercutReport) -> list[str]:
    """One line for everything that is not as it was asked for."""
    lines = [] if report.is_exact else [report.verification_line()]
    lines += [f"skipped: {name_of(str(clip.source))}: {clip.reason}" for clip in report.skipped]
    lines += [f"left out: {name_of(left.hit.shot.path)}: {left.reason}" for left in report.left_out]
    return lines


def show_welcome(title: str, lines: Sequence[str], command: str = "") -> None:
    """An empty page that says what to do next, in our own words."""
    with st.container(border=True, horizontal_alignment="center", key="welcome"):
        st.subheader(title, text_alignment="center")
        for line in lines:
            st.caption(line, text_alignment="center")
        if command:
            st.code(command, language=None)
