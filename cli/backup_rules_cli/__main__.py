"""`python -m backup_rules_cli`: the command `backup-rules`."""

from backup_rules_cli.main import run

if __name__ == "__main__":
    run()
