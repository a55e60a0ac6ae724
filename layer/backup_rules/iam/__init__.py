"""Roles: trust policies, the permissions that a backup needs, and who withholds them."""
