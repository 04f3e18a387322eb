"""Ranked hits in, one video file and its ledger out."""
