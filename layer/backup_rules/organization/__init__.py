"""The effective backup policy of AWS Organizations."""
