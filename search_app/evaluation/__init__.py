"""How good rankings are, measured on questions with known answers."""
