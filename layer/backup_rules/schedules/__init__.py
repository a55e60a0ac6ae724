"""Schedules: cron, time zones, runs, windows, week arithmetic, rules that swallow each other."""
