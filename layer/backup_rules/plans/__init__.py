"""Backup plans and their rules, the resource types that AWS Backup protects, jobs and their messages."""
