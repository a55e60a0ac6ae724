"""Backup vaults: lock, key and access policy."""
