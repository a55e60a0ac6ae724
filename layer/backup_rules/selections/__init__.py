"""Backup selections: who is picked and by which element, near misses, what can never match, opt-in."""
