"""A question in, ranked shots and a supercut out."""
