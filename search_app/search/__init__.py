"""From a question to ranked shots, and what people decide about them."""
