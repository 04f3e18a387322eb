"""Keep and reject: the question moved towards what was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_app.search.encoding import unit

if TYPE_CHECKING:
    from search_app.config import FeedbackSettings
    from store.records import Embeddings


def move_question(
    question: Embeddings,
    kept: Embeddings,
    rejected: Embeddings,
    mean_frame: Embeddings,
    mean_text: Embeddings,
    settings: FeedbackSettings,
) -> Embeddings:
    """The question after feedback, by Rocchio's formula, as a unit vector.

    moved = a * (question - mean_text) + b * mean(kept - mean_frame) - c * mean(rejected - mean_frame)

    each of the three scaled to length 1 first. Rocchio, "Relevance Feedback in Information Retrieval", 1971;
    a, b, c = 1, 0.75, 0.15 as in Manning et al., "Introduction to Information Retrieval", section 9.1. The means
    are taken off because texts and pictures lie in two different corners of the space (Liang et al., "Mind the
    Gap", NeurIPS 2022): without that, any picture in the sum would outweigh the text.

    Args:
        question: float32, (dim,), the question's own vector.
        kept: float32, (n, dim), frames that were kept; n may be 0.
        rejected: the same for what was rejected.
        mean_frame: float32, (dim,), mean of the archive's frames.
        mean_text: float32, (dim,), mean of neutral texts if the question is a text; of frames if it is a picture.
        settings: a, b and c.
    """
    moved = settings.question * unit(question - mean_text)
    if len(kept):
        moved = moved + settings.kept * unit((kept - mean_frame).mean(axis=0))
    if len(rejected):
        moved = moved - settings.rejected * unit((rejected - mean_frame).mean(axis=0))
    return unit(moved)
