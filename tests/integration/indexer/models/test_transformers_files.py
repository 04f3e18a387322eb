"""Checkpoints of transformers: what is refused, with one line that says which file and what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import ModelError
from indexer.models.memory import HalvedBatches
from indexer.models.transformers_files import find_checkpoint, load_model, load_processor
from tests.fixtures.transformers_checkpoints import write_text_model


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text_model(tmp_path_factory.mktemp("whole") / "tiny")


def _pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def _grow(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_hidden_layers": 3}))


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda folder: (folder / "config.json").unlink(), r"lacks config\.json"),
    "no json": (lambda folder: (folder / "config.json").write_text("{"), "cannot read the model's description"),
    "no type": (lambda folder: (folder / "config.json").write_text("{}"), "model_type"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), r"lacks model\.safetensors"),
    "pickled": (_pickle, "pickled and refused"),
    "cut weights": (_cut, "cannot load the model"),
    "a layer more": (_grow, "it lacks 9 weights"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_folder_is_refused(whole: Path, tmp_path: Path, fault: str) -> None:
    """Each with its reason."""
    folder = shutil.copytree(whole, tmp_path / "broken")
    break_it, said = FAULTS[fault]
    break_it(folder)
    with pytest.raises(ModelError, match=said) as caught:
        load_model(find_checkpoint(str(folder)), "AutoModelForCausalLM", "cpu")
    assert "\n" not in str(caught.value)


def test_another_architecture_is_refused(whole: Path, tmp_path: Path) -> None:
    """A text model captions nothing; a folder without a processor prepares nothing."""
    files = find_checkpoint(str(whole))
    with pytest.raises(ModelError, match="cannot load the model"):
        load_model(files, "AutoModelForImageTextToText", "cpu")
    bare = shutil.copytree(whole, tmp_path / "bare")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (bare / name).unlink()
    with pytest.raises(ModelError, match="what prepares inputs"):
        load_processor(find_checkpoint(str(bare)))


@pytest.mark.parametrize("name", ["nonsense", "a/b/c", "./not-there"])
def test_names_that_mean_nothing_are_refused(name: str) -> None:
    """With what to write instead."""
    with pytest.raises(ModelError, match=r"ORG"):
        find_checkpoint(name)


def test_the_identity_is_that_of_the_weights(whole: Path, tmp_path: Path) -> None:
    """A moved folder has the same hash, other weights another."""
    moved = shutil.copytree(whole, tmp_path / "moved")
    other = write_text_model(tmp_path / "other", seed=1)
    assert find_checkpoint(str(whole)).weights_hash == find_checkpoint(str(moved)).weights_hash
    assert find_checkpoint(str(whole)).weights_hash != find_checkpoint(str(other)).weights_hash


def test_halved_batches_keep_the_order(caplog: pytest.LogCaptureFixture) -> None:
    """Where memory runs out, batches become smaller and say so; nothing is lost or done twice."""
    said: list[str] = []
    sizes: list[int] = []

    def run(batch: list[int]) -> list[int]:
        if len(batch) > 3:
            raise RuntimeError("CUDA out of memory. Tried to allocate")
        sizes.append(len(batch))
        return [10 * one for one in batch]

    batches = HalvedBatches("tiny", 16, said.append)
    assert batches.run(run, list(range(20))) == [10 * one for one in range(20)]  # type: ignore[arg-type]
    assert (batches.batch_size, set(sizes), len(said)) == (2, {2}, 3)
    HalvedBatches("tiny", 4).run(run, list(range(4)))  # type: ignore[arg-type]
    logged = [record.getMessage() for record in caplog.records]
    assert ["tiny: memory ran out with 4 at once; 2 from now on"] == logged
    with pytest.raises(ModelError, match="does not fit"):
        HalvedBatches("tiny", 2).run(lambda _: (_ for _ in ()).throw(MemoryError()), [1, 2])
    with pytest.raises(ModelError, match="failed: shapes"):
        HalvedBatches("tiny", 2).run(lambda _: (_ for _ in ()).throw(RuntimeError("shapes")), [1, 2])
    with pytest.raises(ModelError, match="1 results for 2"):
        HalvedBatches("tiny", 2).run(lambda _: [1], [1, 2])
