"""The catalog: one DuckDB file per generation, made for asking, and made anew from the truth at any time."""
