"""How sure an answer is: evidence, rivals, and calibrated probabilities."""
