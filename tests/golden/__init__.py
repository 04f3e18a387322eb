"""Files that exports must come out as, byte for byte."""
