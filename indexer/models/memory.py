"""Batches that are halved until they fit the memory."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from indexer.errors import ModelError

Thing = TypeVar("Thing")
Result = TypeVar("Result")

_LOG: Final = logging.getLogger("rushes.models")
_OUT_OF_MEMORY: Final = re.compile(
    r"out of memory|not enough memory|can't allocate memory|DefaultCPUAllocator", re.IGNORECASE
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device's memory ran out, as far as torch says so."""
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or bool(_OUT_OF_MEMORY.search(str(error)))


class HalvedBatches:
    """Runs a model on things in batches; where memory runs out, they are halved from then on.

    Args:
        model: its name, for messages.
        batch_size: things taken at once.
        say: takes one line for people whenever batches become smaller; a warning in the log if not given.
    """

    def __init__(self, model: str, batch_size: int, say: Callable[[str], None] = _LOG.warning) -> None:
        self._model = model
        self._say = say
        self.batch_size = max(1, batch_size)

    def run(self, run: Callable[[Sequence[Thing]], Sequence[Result]], things: Sequence[Thing]) -> list[Result]:
        """The results of all things, in their order.

        Args:
            run: the model, on one batch; as many results as things.
            things: any number.

        Raises:
            ModelError: not even one thing fits the memory, or the model fails otherwise.
        """
        results: list[Result] = []
        while len(results) < len(things):
            batch = things[len(results) : len(results) + self.batch_size]
            try:
                found = run(batch)
            except (RuntimeError, MemoryError) as error:
                self._halve(len(batch), error)
                continue
            if len(found) != len(batch):
                raise ModelError(f"the model {self._model} gave {len(found)} results for {len(batch)} inputs")
            results.extend(found)
        return results

    def _halve(self, n_tried: int, error: RuntimeError | MemoryError) -> None:
        import torch

        if not is_out_of_memory(error):
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise ModelError(f"the model {self._model} failed: {reason}") from error
        if n_tried == 1:
            raise ModelError(
                f"the model {self._model} does not fit the memory, not even for one input; use --device cpu or a "
                "smaller model"
            ) from error
        self.batch_size = n_tried // 2
        self._say(f"{self._model}: memory ran out with {n_tried} at once; {self.batch_size} from now on")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
