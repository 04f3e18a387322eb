"""Embeddings: FAISS shards and how they are searched."""
