"""The visual stage of one video: shots, frames and their embeddings."""
