"""Embeddings: FAISS shards and how they are searched."""

import os

# Read when FAISS loads its OpenMP: threads that spin while they wait take a busy machine's time from everyone.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
