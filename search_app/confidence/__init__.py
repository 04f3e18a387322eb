"""Certainty of answers: evidence, rivals, and calibrated probabilities."""
