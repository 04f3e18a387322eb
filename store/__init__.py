"""The archive at rest: segments and edits are the truth, generations of DuckDB and FAISS are caches."""
