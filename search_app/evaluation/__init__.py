"""Quality of rankings, measured on questions with known answers."""
