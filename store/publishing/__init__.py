"""From the truth to the next generation of caches, and their health."""
