"""Rules of a file decided for an archive, and what that means for a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.errors import QueryError
from search_app.rules.decide import Decision, KnownRows, Verdict, applies_to, decide, stages_of
from search_app.rules.rule import parse_clock
from search_app.rules.rule_file import read_rules
from search_app.rules.stretches import Stretches, join, take_away
from store.errors import ConfigError
from store.names import display_names
from store.results import CoverageState
from store.shot_outcomes import ShotState
from store.wording import n_of

if TYPE_CHECKING:
    from search_app.rules.rule import RuleBook
    from store.archive import Archive
    from store.results import Coverage, RunRow
    from store.snapshot import Snapshot

RULES_NAME = "rules.toml"
_NOT_LOOKED_AT = (ShotState.BLOCKED, ShotState.ERROR, ShotState.SKIPPED)
_RunCoverages = Sequence[tuple["RunRow", Mapping[str, "Coverage"]]]


@dataclass(frozen=True, slots=True)
class RuleReport:
    """Decisions of rules about an archive.

    Args:
        decisions: for each video, by path, those of the rules about it, in the order of the file.
        names: what each video is called for people, by path.
        minute: minute of the day at which showing is checked; None for no time.
        idle: names of rules about none of the videos.
    """

    decisions: tuple[Decision, ...]
    names: Mapping[str, str]
    minute: int | None
    idle: tuple[str, ...]

    def is_refused(self, decision: Decision) -> bool:
        """Whether a decision fails a check: a flag, or showing outside the allowed hours."""
        if decision.verdict is not Verdict.HOLDS:
            return False
        then = decision.rule.then
        return bool(then.flag) or (self.minute is not None and not then.allows(self.minute))

    @property
    def undecided_lines(self) -> list[str]:
        """A line for each rule and stage for which something is not known, for people."""
        lacking: dict[tuple[str, str], int] = {}
        for decision in self.decisions:
            for stage in decision.missing:
                lacking[decision.rule.name, stage] = lacking.get((decision.rule.name, stage), 0) + 1
        return [f"{rule}: not decided: no {what} for {n_of(n, 'video')}" for (rule, what), n in lacking.items()]

    @property
    def is_clean(self) -> bool:
        """Whether everything is decided, and nothing is refused."""
        undecided = any(decision.verdict is Verdict.UNDECIDED for decision in self.decisions)
        return not undecided and not any(map(self.is_refused, self.decisions))


def check_rules(
    archive: Archive, rules: Path | None = None, *, video: str | None = None, at: str | None = None
) -> RuleReport:
    """Decide the rules of a file for every video of an archive, or for one.

    Args:
        archive: whose rows are read.
        rules: the file; `rules.toml` of the working directory if None.
        video: path, end of a path, or fingerprint; None for all.
        at: time of day at which the videos are to be shown, as `20:15`.

    Raises:
        ConfigError: the file cannot be read or used.
        QueryError: the time cannot be understood.
        UnknownIdError: there is no such video.
    """
    minute = None if at is None else parse_clock(at)
    if at is not None and minute is None:
        raise QueryError(f"{at!r:.40} is no time of day; write it as 20:15")
    if rules is None and not Path(RULES_NAME).is_file():
        raise ConfigError(
            f"there is no {RULES_NAME} here; name a file with --rules (configs/rules.toml has examples)"
        )
    return decide_all(archive.snapshot(), read_rules(rules or Path(RULES_NAME)), video=video, minute=minute)


def decide_all(
    snapshot: Snapshot, book: RuleBook, *, video: str | None = None, minute: int | None = None
) -> RuleReport:
    """The decisions of rules about one generation; see `check_rules`."""
    chosen = snapshot.videos() if video is None else [snapshot.video(video)]
    coverages = coverages_of(snapshot, stages_of(book.rule))
    decisions: list[Decision] = []
    for row in chosen:
        about = [rule for rule in book.rule if applies_to(rule, row)]
        if about:
            known, shots = known_rows(snapshot, row.video_id, coverages), snapshot.shots(row.video_id)
            decisions += [decide(rule, row, shots, known) for rule in about]
    used = {decision.rule.name for decision in decisions}
    idle = tuple(rule.name for rule in book.rule if rule.name not in used)
    return RuleReport(tuple(decisions), display_names(row.path for row in chosen), minute, idle)


def coverages_of(snapshot: Snapshot, stages: Sequence[str]) -> Mapping[str, _RunCoverages]:
    """For each stage its runs, with the coverage of every video by each."""
    runs = snapshot.runs()
    return {
        stage: [(row, snapshot.coverages(row.run)) for row in runs if row.run.stage == stage] for stage in stages
    }


def known_rows(snapshot: Snapshot, video_id: str, coverages: Mapping[str, _RunCoverages]) -> KnownRows:
    """What stages know of a video: their live rows, and the stretches that they have met."""
    rows = {stage: [one.row for one in snapshot.stage_rows(video_id, stage)] for stage in coverages}
    span = snapshot.video_span(video_id)
    whole: Stretches = () if span is None else (span,)
    return KnownRows(rows, {stage: _covered(snapshot, runs, video_id, whole) for stage, runs in coverages.items()})


def _covered(snapshot: Snapshot, runs: _RunCoverages, video_id: str, whole: Stretches) -> Stretches:
    """The stretches that the live run has looked at: of a complete one, else the parts of the one that answers."""
    of_video = [(row, found[video_id]) for row, found in runs if video_id in found]
    done = [one for one in of_video if one[1].state is CoverageState.DONE]
    able = done or [one for one in of_video if one[1].spans]
    if not able:
        return ()
    row, live = max(able, key=lambda one: (one[0].is_chosen, one[0].chosen_ns or 0, one[0].written_ns or 0))
    outcomes = snapshot.shot_outcomes(row.run, video_id)
    unseen = [outcome.span for outcome in outcomes if outcome.state in _NOT_LOOKED_AT]
    return take_away(whole if done else join(live.spans), unseen)
