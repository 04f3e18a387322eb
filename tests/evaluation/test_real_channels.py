"""Fused search on real clips is never worse than its best channel alone; with -s it prints the table."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from search_app.cli import main
from tests.evaluation.real_channels import score_channels
from tests.offline_models import needs_starter
from tests.shared_media import MEDIA, needs_media

pytestmark = [needs_media, needs_starter]


@pytest.mark.evaluation
@pytest.mark.slow
@pytest.mark.optin
@pytest.mark.timeout(3600)
def test_every_channel_earns_its_weight(tmp_path: Path) -> None:
    """All channels together find at least as much as the best of them alone."""
    archive = str(tmp_path / "archive")
    arguments = ["index", archive, str(MEDIA), "--model", "starter", "--with", "labels,speech,text"]
    done = CliRunner().invoke(main, arguments)
    assert 0 == done.exit_code, done.output
    table = score_channels(Path(archive))
    for name, scores in table.items():
        print(f"{name:20} {scores}")  # noqa: T201 - the table is what this test is for
    alone = [scores for name, scores in table.items() if name != "all"]
    fused = table["all"]
    assert fused.mrr >= max(scores.mrr for scores in alone)
    assert fused.recall_1 >= max(scores.recall_1 for scores in alone)
    assert fused.recall_5 >= max(scores.recall_5 for scores in alone)
