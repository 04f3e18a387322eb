"""A cut list in, a file that an editing program opens out."""
