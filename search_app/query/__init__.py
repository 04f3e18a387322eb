"""A question: as people type it, and as data."""
