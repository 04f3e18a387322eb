"""Words: the lexical index and searching it."""
