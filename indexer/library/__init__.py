"""The files of a library: where they lie, and what changed."""
