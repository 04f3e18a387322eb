"""A finished film and what belongs beside it get their names: all of them, or an error says what happened."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from search_app.errors import RenderError
from search_app.rendering.ledger import ledger_path, wrote_subtitles
from search_app.rendering.preflight import is_disk_full
from search_app.rendering.subtitles import subtitle_path


def explained(error: Exception, output: Path, cancel: threading.Event) -> RenderError:
    """Why a film was not made, for people."""
    if cancel.is_set():
        return RenderError(f"{output.name} was cancelled; nothing was kept")
    if is_disk_full(error):
        return RenderError(
            f"no space left on the disk of {output.parent}: free some and render again; nothing was kept"
        )
    return RenderError(f"cannot render {output}: {error}")


def aside_path(output: Path) -> Path:
    """A name beside a film's that nothing has, for one that is not exact: `NAME.inexact.mp4`."""
    numbers = itertools.chain([""], (f"-{n}" for n in itertools.count(2)))
    paths = (output.with_name(f"{output.stem}.inexact{number}{output.suffix}") for number in numbers)
    return next(
        path for path in paths if not any(map(os.path.lexists, (path, ledger_path(path), subtitle_path(path))))
    )


def give_names(made: Mapping[Path, Path], output: Path, folder: Path) -> str:
    """Move finished files to their names, in place of what an older film left there.

    Args:
        made: each name and the file that gets it; one is the film.
        output: the film's name.
        folder: where the files lie.

    Returns:
        What people should know about what lies beside the film now; empty if nothing.

    Raises:
        RenderError: the film has its name, but what belongs beside it has not.
        OSError: nothing has changed.
    """
    ledger, old_ledger = ledger_path(output), folder / "replaced.json"
    old_subtitles, note = (None, "") if subtitle_path(output) in made else _old_subtitles(output)
    try:
        with contextlib.suppress(FileNotFoundError):
            ledger.replace(old_ledger)  # it must never lie beside a film of which it knows nothing
        for target, path in made.items():
            path.replace(target)
        if old_subtitles:
            old_subtitles.unlink()
    except OSError as error:
        if made[output].exists():
            if old_ledger.exists():
                old_ledger.replace(ledger)
            raise
        raise RenderError(
            f"{output} is made, but not all that belongs beside it: {error}; render it again over it"
        ) from error
    return note


def _old_subtitles(output: Path) -> tuple[Path | None, str]:
    """Subtitles of the film that is replaced, if we wrote them; a note if others lie there."""
    path = subtitle_path(output)
    if not path.exists():
        return None, ""
    if wrote_subtitles(ledger_path(output)):
        return path, ""
    return None, f"{path} is not of this film: players will show it with it; it was left there"
