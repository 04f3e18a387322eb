"""The only code that loads neural networks."""
