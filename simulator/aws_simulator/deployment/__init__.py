"""What brings rules into accounts, runs them and hears of what they find."""
