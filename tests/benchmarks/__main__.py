"""Speed against what a user would write instead: `python -m tests.benchmarks [NAME...] [--quick]`.

Prints Markdown tables. Figures of one table come from one run on one machine, in turns; read the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]  # ships no types

from indexer.config import IndexSettings
from indexer.models.encoder import Encoder
from indexer.models.open_clip_encoder import load_encoder
from indexer.pipeline import index_videos
from search_app.cut_list import build_cut_list
from search_app.search import search
from search_app.supercut import render_supercut
from store.archive import Archive
from store.records import Outcome
from tests.benchmarks.footage import write_footage
from tests.benchmarks.search_speed import bench_search


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="which; all by default")
    parser.add_argument("--quick", action="store_true", help="smaller material and fewer rounds")
    options = parser.parse_args()
    for name in options.names or BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            for line in BENCHMARKS[name](Path(folder), options.quick):
                print(line, flush=True)  # noqa: T201 - the table is the result
            print()  # noqa: T201


def _time(work: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def _random_vit_b32(folder: Path) -> Encoder:
    """ViT-B-32 with random weights from a local folder: the true cost without a download."""
    import json

    import open_clip
    from safetensors.torch import save_file

    model = open_clip.create_model("ViT-B-32")
    folder.mkdir()
    document = {
        "model_cfg": open_clip.get_model_config("ViT-B-32"),
        "preprocess_cfg": open_clip.get_model_preprocess_cfg(model),
    }
    (folder / "open_clip_config.json").write_text(json.dumps(document))
    save_file(
        {k: v.contiguous().clone() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors"
    )
    return load_encoder(None, folder, device="cpu")


def _index(folder: Path, inputs: Sequence[Path], encoder: Encoder) -> list[Outcome]:
    with Archive.create(folder) as archive:
        archive.claim_space(encoder.space, source="benchmark")
        return list(index_videos(archive, inputs, encoder, IndexSettings(), lambda _: None))


def _script(path: Path, encoder: Encoder) -> None:
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


def bench_index(folder: Path, quick: bool) -> Iterator[str]:
    """Indexing against the script, same clip, same encoder, and where our time goes."""
    clip = write_footage(folder / "clip.mp4", 20 if quick else 120)
    encoder = _random_vit_b32(folder / "model")
    ours, theirs, shares = [], [], []
    for turn in range(2 if quick else 5):
        archive = folder / f"archive{turn}"
        started = time.perf_counter()
        outcomes = _index(archive, [clip], encoder)
        ours.append(time.perf_counter() - started)
        shares.append(outcomes[0].seconds)
        theirs.append(_time(_script, clip, encoder))
    yield "| indexing 1080p24 H.264 | median s | ratio |\n|---|---|---|"
    yield f"| PySceneDetect + open_clip + FAISS script | {statistics.median(theirs):.1f} | 1 |"
    ratio = statistics.median(theirs) / statistics.median(ours)
    yield f"| Rushes, with archive and thumbnails | {statistics.median(ours):.1f} | {ratio:.2f}x |"
    total = sum(shares[-1].values())
    yield "\n| stage | share |\n|---|---|"
    for stage, seconds in shares[-1].items():
        yield f"| {stage} | {100 * seconds / total:.0f} % |"


def bench_supercut(folder: Path, quick: bool) -> Iterator[str]:
    """A supercut against MoviePy, the same clips in the same order."""
    from moviepy import VideoFileClip, concatenate_videoclips

    clip = write_footage(folder / "clip.mp4", 20 if quick else 60, (1280, 720), 2)
    encoder = load_encoder("demo", device="cpu")
    _index(folder / "archive", [clip], encoder)
    with Archive.open(folder / "archive") as archive:
        hits = search(archive, "something red", encoder=encoder, limit=5 if quick else 20).hits
        videos = {video.video_id: video for video in archive.snapshot().videos()}
    cut_list = build_cut_list(hits, videos)

    def moviepy(output: Path) -> None:
        with VideoFileClip(str(clip)) as source:
            parts = [source.subclipped(c.span.start_seconds, c.span.end_seconds) for c in cut_list.clips]
            concatenate_videoclips(parts).write_videofile(str(output), preset="veryfast", logger=None)

    rows: dict[str, list[float]] = {"MoviePy": [], "Rushes, unverified": [], "Rushes, verified": []}
    for turn in range(2 if quick else 5):
        rows["MoviePy"].append(_time(moviepy, folder / f"moviepy{turn}.mp4"))
        for name, verify in (("Rushes, unverified", False), ("Rushes, verified", True)):
            output = folder / f"{verify}{turn}.mp4"
            rows[name].append(_time(partial(render_supercut, cut_list, output, verify=verify)))
    yield f"| {len(cut_list.clips)} clips of 720p24 | median s | ratio |\n|---|---|---|"
    base = statistics.median(rows["MoviePy"])
    for name, seconds in rows.items():
        yield f"| {name} | {statistics.median(seconds):.1f} | {base / statistics.median(seconds):.2f}x |"


def bench_memory(folder: Path, quick: bool) -> Iterator[str]:
    """Peak memory of indexing, children included, for a short and a long video: it must not grow."""
    encoder = load_encoder("demo", device="cpu")
    yield "| length of the video | peak MiB of all processes |\n|---|---|"
    for seconds in (60, 600) if quick else (600, 10_800):
        clip = write_footage(folder / f"{seconds}.mp4", seconds, (320, 180))
        peak = _peak_mebibytes(partial(_index, folder / f"archive{seconds}", [clip], encoder))
        yield f"| {seconds / 60:.0f} min | {peak:.0f} |"


def _peak_mebibytes(work: Callable[[], Any]) -> float:
    me, peak, done = psutil.Process(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.1):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak = max(peak, total / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return peak


BENCHMARKS: dict[str, Callable[[Path, bool], Iterator[str]]] = {
    "index": bench_index,
    "supercut": bench_supercut,
    "search": bench_search,
    "memory": bench_memory,
}

if __name__ == "__main__":
    main()
