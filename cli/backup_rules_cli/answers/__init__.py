"""Answers about one plan: its conditions, what ran, what is to run, what it picks. Made of the rules' own verdicts."""
