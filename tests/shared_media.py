"""Real and hostile clips that lie beside a checkout of this project, where somebody has put them there."""

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = (Path(__file__).parents[2] / "shared").resolve()
MEDIA, BAD_MEDIA, FAULTS = SHARED / "media", SHARED / "media-bad", SHARED / "faults"

needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason="no real clips in ../shared/media")
needs_faults = pytest.mark.skipif(not FAULTS.is_dir(), reason="no clips in ../shared/faults")
needs_bad_media = pytest.mark.skipif(not BAD_MEDIA.is_dir(), reason="no broken clips in ../shared/media-bad")
needs_faults = pytest.mark.skipif(not FAULTS.is_dir(), reason="no inputs that failed once in ../shared/faults")


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """What is known of each clip; empty where there are none."""
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
