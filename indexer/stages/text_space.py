"""The encoder of an archive's texts: that of sentences where it is installed, else the archive's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.models.deferred import DeferredTextEncoder
from indexer.models.sentence_encoder import (
    SENTENCE_MODEL,
    find_sentence_files,
    is_sentence_encoder_installed,
    load_text_encoder_of,
    space_of,
)
from store.stages import meaning_stages

if TYPE_CHECKING:
    from indexer.models.encoder import TextEncoder
    from store.archive import Archive


def choose_text_encoder(archive: Archive, *, device: str = "auto") -> TextEncoder | None:
    """The encoder of an archive's texts, loaded with the first text; None for an archive without an encoder.

    The encoder of sentences is claimed for an archive that has no texts yet which are searched by meaning. One
    that has some keeps the encoder that they were embedded with: else those would be found by their words alone.

    Args:
        archive: an open archive; the claim is recorded and published.
        device: as for `load_encoder`.

    Raises:
        ModelError: the package of the encoder of sentences is damaged.
    """
    snapshot = archive.snapshot()
    space = snapshot.text_space
    if space is None:
        return None
    counts = snapshot.text_counts()
    has_texts = any(counts.get(stage.name) for stage in meaning_stages())
    if space == snapshot.space and not has_texts and is_sentence_encoder_installed():
        space = space_of(find_sentence_files())
        archive.claim_text_space(space, SENTENCE_MODEL)
    chosen = space
    return DeferredTextEncoder(chosen, lambda: load_text_encoder_of(chosen, device=device))
