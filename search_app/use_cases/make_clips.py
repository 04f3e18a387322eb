"""Make a file of each clip: films of one clip, with a ledger for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.conforming.picture_names import Codec
from search_app.conforming.presets import PRESETS
from search_app.cutting.cut_list import CutList, LeftOut
from search_app.exports.film import plan_film
from search_app.exports.separate_clips import LEDGER, ClipFile, render_each
from search_app.search.decisions import record_export
from search_app.use_cases.choose_clips import ChosenClips
from search_app.use_cases.make_film import make_film, prepare_film

if TYPE_CHECKING:
    from search_app.rendering.outcomes import SupercutReport
    from search_app.use_cases.options import RenderOptions
    from store.archive import Archive


@dataclass(frozen=True, slots=True)
class MadeClips:
    """Outcomes of the clips.

    Args:
        files: a file, or a reason, for each.
        left_out: shots that are in no clip.
        may_miss: whether clips that cannot be rendered were to be skipped.
    """

    files: tuple[ClipFile, ...]
    left_out: tuple[LeftOut, ...]
    may_miss: bool

    @property
    def folder(self) -> Path:
        """Folder of the files."""
        return self.files[0].path.parent

    @property
    def ledger(self) -> Path:
        """Path of the ledger that lists the files."""
        return self.folder / LEDGER

    @property
    def done(self) -> list[SupercutReport]:
        """The clips that are there."""
        return [one.report for one in self.files if one.report]

    @property
    def is_whole(self) -> bool:
        """Whether all are there that must be, and none was found wrong."""
        may_be = len(self.done) == len(self.files) or self.may_miss
        return may_be and bool(self.done) and not any(report.has_wrong_cut for report in self.done)

    def summary(self) -> str:
        """One line for people."""
        return (
            f"{self.folder}: {len(self.done)} of {len(self.files)} clips, {self._verdict()}; {LEDGER} lists them"
        )

    def _verdict(self) -> str:
        """Number of exact files among those that could be compared."""
        compared = [report for report in self.done if report.is_verified]
        if not compared:
            return next((report.verification_line() for report in self.done), "none made")
        return f"{sum(report.is_exact for report in compared)}/{len(compared)} exact"


def make_clips(
    archive: Archive,
    chosen: ChosenClips,
    output: Path,
    options: RenderOptions,
    on_clip: Callable[[Path, SupercutReport], None] | None = None,
) -> MadeClips:
    """Render every clip into a file of its own; one that fails does not stop the others.

    Args:
        archive: where the clips come from.
        chosen: the clips.
        output: folder, or name with fields such as `{place}`.
        options: how each is made.
        on_clip: told of each, and of the name that it was to have, as soon as it is whole.

    Raises:
        ExportError: a file exists, or names cannot be made; nothing has been rendered then.
    """
    cut_list = chosen.cut_list
    film = plan_film(cut_list, output.name, question=str(chosen.provenance["query"]))
    made: list[SupercutReport] = []

    def render(one: CutList, path: Path) -> SupercutReport:
        ruling = chosen.rulings[cut_list.clips.index(one.clips[0])]
        alone = ChosenClips(one, chosen.question, chosen.provenance, (ruling,))
        film_of_one = make_film(prepare_film(archive, alone, path, options), remember=False, on_made=made.append)
        film_of_one.refuse_losses()
        if on_clip:
            on_clip(path, film_of_one.report)
        return film_of_one.report

    preset = options.picture.preset
    codec = PRESETS[preset].codec if preset else Codec.H264
    try:
        files = render_each(film, cut_list, output, render, overwrite=options.overwrite, codec=codec)
    finally:  # also of a run that was stopped: what is there was used
        if made:
            record_export(archive, output.name, [stretch for report in made for stretch in report.stretches])
    return MadeClips(tuple(files), cut_list.left_out, options.skip_missing)
