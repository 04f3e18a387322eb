"""One stage, one video, one function: what every kind of result is run by, here or on many machines."""
