"""Use cases of Rushes for a person or a program: functions that take values, and neither print nor exit."""
