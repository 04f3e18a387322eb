"""Ranked hits in, a cut list out; kept in the archive in versions if asked for."""
