"""A drawn world and the tiny encoder that is trained on it, so that the whole product runs offline."""
