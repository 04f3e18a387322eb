"""Options of `rushes search` that have a model look at the first hits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search_app.commands.as_one import as_one
from search_app.errors import QueryError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.models.captioner import Captioner
    from search_app.search.search import SearchResult
    from search_app.use_cases.verify_hits import VerifiedHits
    from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """Which hits are verified, and by which model.

    Args:
        verify: how many hits, from the first; 0 for none.
        verify_model: its name; None for the model of captions.
        verify_config: files of settings of models.
    """

    verify: int = 0
    verify_model: str | None = None
    verify_config: tuple[Path, ...] = ()

    def load(self, device: str) -> Captioner | None:
        """The model, before anything is searched; None if nothing is to be verified.

        Raises:
            QueryError: a model is named, and nothing is to be verified.
            ModelError: it is not to be had.
        """
        if not self.verify:
            if self.verify_model or self.verify_config:
                raise QueryError("--verify-model and --verify-config: only with --verify K")
            return None
        from search_app.use_cases.verify_hits import load_verifier

        return load_verifier(self.verify_config, self.verify_model, device)

    def run(self, snapshot: Snapshot, result: SearchResult, model: Captioner | None) -> VerifiedHits | None:
        """A model's word on the first hits; None if nothing is to be verified.

        Raises:
            QueryError: the question says nothing in words.
            ServerUnavailableError: the model's server answers no question.
        """
        if model is None:
            return None
        from search_app.use_cases.verify_hits import verify_hits

        return verify_hits(snapshot, result.query, result.hits, model, self.verify)


_OPTIONS = (
    click.option(
        "--verify",
        type=click.IntRange(0, 1000),
        default=0,
        metavar="K",
        help="Have a vision-language model look at the first K hits.",
    ),
    click.option("--verify-model", metavar="NAME", help="The model: as for `rushes caption` [that of captions]."),
    click.option(
        "--verify-config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        multiple=True,
        help="A TOML file with [stages.captions] and [stages.remote], as for `rushes caption --config`.",
    ),
)

add_verify_options = as_one(VerifyOptions, "verification", _OPTIONS)
"""Gives a command the options of `VerifyOptions`; it gets them as one, named `verification`."""
