"""A cut list in, one verified video file and its ledger out: clips, cards, texts, sound, joined."""
