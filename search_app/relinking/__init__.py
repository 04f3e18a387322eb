"""Clips of a cut list whose source was exported again, found in the file that took its place."""
