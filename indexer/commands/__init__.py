"""The commands of the indexing half; click lives here only."""
