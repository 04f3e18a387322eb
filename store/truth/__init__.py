"""The truth of an archive: segments and edits, files that are complete or absent."""
