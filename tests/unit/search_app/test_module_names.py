"""Names of our modules that would hide others where Streamlit runs the page."""

import sys
from pathlib import Path

import search_app


def test_no_module_is_called_like_one_of_the_standard_library() -> None:
    """Streamlit puts this folder first in the import path, where such a name would hide the library's own."""
    (folder,) = search_app.__path__
    names = {path.stem for path in Path(folder).iterdir() if path.suffix == ".py" or path.is_dir()}
    assert "app" in names
    assert set() == names & sys.stdlib_module_names
