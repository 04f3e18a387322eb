"""Models that say what pictures show: one interface, networks of transformers and servers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

from indexer.errors import ModelError
from indexer.models.remote import Question, RemoteModel, remote_model
from indexer.models.remote_answer import Answer, Spent
from indexer.models.remote_settings import RemoteSettings
from indexer.models.transformers_files import CheckpointFiles, find_checkpoint

DEFAULT_CAPTIONER: Final = "HuggingFaceTB/SmolVLM2-500M-Video-Instruct"
"""Small enough for a CPU, follows questions, looks at several pictures (Apache-2.0)."""
MOST_PICTURES: Final = 64

Said: TypeAlias = Answer | ModelError
"""What a model said to one question, or what went wrong with it."""


class Captioner(Protocol):
    """Says what pictures show; some answer questions about them, too."""

    @property
    def name(self) -> str:
        """The model as runs record it."""
        ...

    @property
    def revision(self) -> str:
        """Of the model; empty where it is not known."""
        ...

    @property
    def weights_hash(self) -> str:
        """Hex digest of the weights; empty where they are not on this machine."""
        ...

    @property
    def most_pictures(self) -> int:
        """How many pictures it looks at together."""
        ...

    @property
    def follows_questions(self) -> bool:
        """Whether it answers a question; else a prompt is only the beginning of its text, if it takes one."""
        ...

    @property
    def takes_prompts(self) -> bool:
        """Whether a prompt changes anything."""
        ...

    def answer(self, questions: Sequence[Question]) -> Sequence[Said]:
        """What the model says to each question, in their order.

        Whatever the size of the batch, a question gets the same answer.

        Raises:
            ModelError: the model is at fault with all of them.
        """
        ...


def load_captioner(model: str, remote: RemoteSettings, *, device: str = "auto", batch_size: int = 8) -> Captioner:
    """The model of that name; its files are found now, its network is loaded with the first question.

    Args:
        model: `org/name[@revision]` on the hub, a folder, `remote`, or `remote:MODEL`.
        remote: the server that `remote` means.
        device: as for `load_encoder`.
        batch_size: questions answered at once by a local model; halved whenever they do not fit the memory.

    Raises:
        ModelError: it cannot be had, or captions nothing.
    """
    server = remote_model(model, remote)
    if server is not None:
        return RemoteCaptioner(server)
    return caption_with(find_checkpoint(model), device=device, batch_size=batch_size)


def caption_with(files: CheckpointFiles, *, device: str, batch_size: int) -> Captioner:
    """The captioner of a checkpoint, by its architecture.

    Raises:
        ModelError: it is of none that captions.
    """
    from indexer.models import local_captioners

    kind = local_captioners.KINDS.get(files.model_type)
    if kind is None:
        kind = local_captioners.VisionLanguageModel
        if files.model_type not in local_captioners.vision_language_types():
            raise ModelError(
                f"the model {files.name} captions no pictures: its architecture is {files.model_type!r:.60}; take "
                f"one such as {DEFAULT_CAPTIONER} or Salesforce/blip-image-captioning-base"
            )
    return kind(files, device, batch_size)


class RemoteCaptioner:
    """A vision-language model behind a server.

    Args:
        server: the client, shared with others; left open.
    """

    revision = ""
    weights_hash = ""
    most_pictures = MOST_PICTURES
    follows_questions = True
    takes_prompts = True

    def __init__(self, server: RemoteModel) -> None:
        self._server = server

    @property
    def name(self) -> str:
        """The model as runs record it."""
        return self._server.name

    @property
    def spent(self) -> Spent:
        """What all questions so far have cost."""
        return self._server.spent

    def answer(self, questions: Sequence[Question]) -> Sequence[Said]:
        """What the model says to each question, as `Captioner` promises; so many at once as the settings say."""
        return self._server.ask_all(questions)
