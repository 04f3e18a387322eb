"""Indexing against the script that a user would write instead: the same clip, the same encoder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from indexer.config import IndexSettings
from indexer.models.encoder import Encoder
from indexer.models.open_clip_encoder import load_encoder
from indexer.pipeline import index_videos
from store.archive import Archive
from store.records import Outcome
from tests.benchmarks.contest import compete, table
from tests.benchmarks.footage import real_clip, write_footage

SCRIPT, OURS = (
    "PySceneDetect + open_clip on middle frames + FAISS flat",
    "Rushes: archive, thumbnails, more frames",
)


def bench_index(folder: Path, quick: bool) -> Iterator[str]:
    """Indexing against the script, and where our time goes."""
    seconds = 20 if quick else 60
    clips = {f"{seconds} s of drawn 1080p24 H.264": write_footage(folder / "clip.mp4", seconds)}
    if real := real_clip():
        clips[f"real: {real.name}"] = real
    encoder = random_vit_b32(folder / "model")
    for number, (title, clip) in enumerate(clips.items()):
        yield from _compare(folder / str(number), title, clip, encoder, n_rounds=3 if quick else 5)


def _compare(folder: Path, title: str, clip: Path, encoder: Encoder, n_rounds: int) -> Iterator[str]:
    outcomes: list[Outcome] = []

    def ours(turn: str) -> None:
        outcomes[:] = index_into(folder / turn, [clip], encoder)

    folder.mkdir()
    timings = compete({SCRIPT: lambda _: _run_script(clip, encoder), OURS: ours}, n_rounds)
    yield from table(f"{title}, ViT-B-32", timings, SCRIPT)
    yield f"\nShare of our time: {_shares(outcomes[0].seconds)}.\n"


def _shares(seconds: Mapping[str, float]) -> str:
    total = sum(seconds.values())
    return ", ".join(f"{stage} {100 * share / total:.0f} %" for stage, share in seconds.items())


def index_into(folder: Path, inputs: Sequence[Path], encoder: Encoder) -> list[Outcome]:
    """Index into a new archive with the standard settings; every input must succeed."""
    with Archive.create(folder) as archive:
        archive.claim_space(encoder.space, source="benchmark")
        outcomes = list(index_videos(archive, inputs, encoder, IndexSettings(), lambda _: None))
    failed = [outcome.reason for outcome in outcomes if outcome.status != "indexed"]
    if failed:
        raise RuntimeError(f"nothing to time: {failed[0]}")
    return outcomes


def random_vit_b32(folder: Path) -> Encoder:
    """ViT-B-32 with random weights from a local folder: the true cost without a download."""
    import open_clip
    from safetensors.torch import save_file

    model = open_clip.create_model("ViT-B-32")
    folder.mkdir()
    document = {
        "model_cfg": open_clip.get_model_config("ViT-B-32"),
        "preprocess_cfg": open_clip.get_model_preprocess_cfg(model),
    }
    (folder / "open_clip_config.json").write_text(json.dumps(document))
    weights = {name: row.contiguous().clone() for name, row in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return load_encoder(None, folder, device="cpu")


def _run_script(path: Path, encoder: Encoder) -> None:
    """What a user would write: PySceneDetect, the middle frame of each shot, open_clip, a flat FAISS index."""
    import av
    import faiss
    from scenedetect import AdaptiveDetector, detect

    scenes = detect(str(path), AdaptiveDetector(), backend="pyav")
    pictures = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for start, end in scenes:
            middle = (start.seconds + end.seconds) / 2
            container.seek(int(middle / stream.time_base), stream=stream, backward=True)
            frame = next(frame for frame in container.decode(stream) if frame.time >= middle - 1e-3)
            pictures.append(np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8))
    index = faiss.IndexFlatIP(encoder.space.dim)
    index.add(encoder.encode_images(pictures))
