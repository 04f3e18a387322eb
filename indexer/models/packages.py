"""Words for a package that is not installed."""

from __future__ import annotations

WAY_OUT = "install the extra: pip install 'rushes[offline]'"


def say_package_missing(job: str, package: str) -> str:
    """One line: what needs which package, and how to get it."""
    return f"{job} needs the package {package}, which is not installed; {WAY_OUT}"
