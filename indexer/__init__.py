"""Video files in, archive segments out."""
