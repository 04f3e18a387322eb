"""Which files a library holds, where they lie, and what changed."""
