"""Make a film again from its manifest, without searching, and tell whether it is the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.conforming.modes import Mode
from search_app.cutting.clip_texts import ClipText
from search_app.cutting.rights import keep_rights, rights_entry
from search_app.exports.manifest import Manifest, difference_between, read_manifest
from search_app.exports.manifest_sources import Allowed, find_archive, refuse_unasked, with_sources
from search_app.rendering.film_options import FilmOptions
from search_app.timelines.relink import Relinker, read_path_map
from search_app.use_cases.choose_clips import ChosenClips
from search_app.use_cases.make_film import FilmPlan, prepare_film

if TYPE_CHECKING:
    from search_app.rendering.outcomes import SupercutReport
    from search_app.use_cases.options import RenderOptions
    from store.archive import Archive


@dataclass(frozen=True, slots=True)
class FilmBefore:
    """A film that was made before, as its manifest tells it.

    Args:
        known: the manifest.
        relink: where its sources lie now.
        allowed: files that it names and that may be opened.
    """

    known: Manifest
    relink: Relinker
    allowed: Allowed

    @property
    def notes(self) -> list[str]:
        """Options that have no effect, for people."""
        return self.relink.without_effect(path for clip in self.known.cut_list.clips for path in clip.paths)

    def find_archive(self) -> Path | None:
        """The archive that the manifest names, if it is there and one's own."""
        return find_archive(self.known.carried)


def read_film(manifest: Path, path_map: Iterable[str] = (), allowed_files: Iterable[Path] = ()) -> FilmBefore:
    """A film that was made before.

    Args:
        manifest: the file beside it.
        path_map: `FROM=TO`, each, for sources that moved.
        allowed_files: files and folders that the manifest names and that may be opened.

    Raises:
        ConfigError: a path map cannot be understood.
        RenderError: the manifest cannot be used, or names files that were not allowed.
    """
    relink = Relinker(read_path_map(path_map))
    allowed, known = Allowed.of(allowed_files), read_manifest(manifest)
    refuse_unasked(known.options, allowed)
    return FilmBefore(known, relink, allowed)


def prepare_again(archive: Archive | None, before: FilmBefore, output: Path, options: RenderOptions) -> FilmPlan:
    """The same film, checked before anything is rendered.

    Args:
        archive: asked for rights as they are now, and where the sources are; None leaves rights unchecked.
        before: the film.
        output: the file to make.
        options: of this run; how the film looks and sounds, the manifest says.

    Raises:
        RightsError: a clip must not be exported any more.
        RenderError: of a source there is no place, or the target cannot be used.
    """
    known = before.known
    texts: list[ClipText] | None = list(known.options.get("texts") or ()) or None
    provenance = {**known.carried, "rendered_from": {"manifest": known.path.name, "digest": known.digest}}
    snapshot = archive.snapshot() if archive else None
    cut_list = with_sources(known.cut_list, before.relink, before.allowed, snapshot)
    if snapshot:  # rights as they are now, whatever they were then
        flags = snapshot.rights()
        _, rulings = keep_rights(cut_list, flags, can_mark=True)
        provenance["rights"] = rights_entry(len(flags), rulings)
        then = texts or [ClipText()] * len(rulings)
        texts = [replace(text, mark=ruling.text) for text, ruling in zip(then, rulings, strict=True)]
    else:
        provenance["rights"] = {**known.carried.get("rights", {}), "checked_on": None}
    how = replace(
        options,
        film=known.options.get("film") or FilmOptions(),
        mode=known.options.get("mode") or Mode.EXACT,
    )
    chosen = ChosenClips(cut_list, str(known.carried.get("query", "")), provenance)
    return prepare_film(archive, chosen, output, how, profile=known.options["profile"], texts=texts)


def difference_from(before: FilmBefore, report: SupercutReport) -> str:
    """Difference of a film from the one before, for people; empty if it decodes to the same bits."""
    return difference_between(before.known, read_manifest(report.ledger))
