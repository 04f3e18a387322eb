"""What holds for all tests."""

import os

# Read once, by the first library that brings its own threads. Two workers share two cores: threads that wait for
# each other by spinning make a search among ten vectors twenty times as slow on a busy machine.
os.environ["OMP_NUM_THREADS"] = "1"

import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.fork_server import ForkServer

# A law holds or not, however slow the machine is; how long a test may take is said by pytest's own timeout.
settings.register_profile("rushes", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rushes")

# What the product keeps of models for this user goes away with the tests.
_CACHE = tempfile.TemporaryDirectory(prefix="rushes-cache-", ignore_cleanup_errors=True)
os.environ["RUSHES_CACHE"] = _CACHE.name


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Starts processes that have imported everything already."""
    with ForkServer() as server:
        yield server
