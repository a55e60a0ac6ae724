"""`make deploy`, `make deploy-single-account`, `make verify`, `make undeploy`.

Exit status: 0 when all is well, 1 when something is not (a stack failed, the question was answered with no, verify
found problems), 2 when it could not be begun or read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from backup_rules_cli.catalogue import ROOT
from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.checks import NotReadyError
from backup_rules_cli.deploy.deploy import deploy
from backup_rules_cli.deploy.settings import Settings, SettingsError, load
from backup_rules_cli.deploy.stacks import StackError
from backup_rules_cli.deploy.terminal import CannotAskError, Terminal
from backup_rules_cli.deploy.undeploy import undeploy
from backup_rules_cli.deploy.verify import verify
from backup_rules_cli.package import PackageError

WELL, NOT_WELL, NOT_BEGUN = 0, 1, 2

DEFAULT_SETTINGS = ROOT / "rdk-config" / "deployment.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _options(arguments)
    try:
        settings = load(options.settings, options.regions)
        done = _run(options, settings)
    except KeyboardInterrupt:
        print(f"{options.verb}: interrupted. AWS goes on with what was begun; run it again to go on.", file=sys.stderr)
        return NOT_WELL
    except StackError as error:
        print(f"{options.verb}: {error}\nSee docs/deploying.md, Troubleshooting.", file=sys.stderr)
        return NOT_WELL
    except (AwsCallError, CannotAskError, NotReadyError, PackageError, SettingsError) as error:
        print(f"{options.verb}: {error}", file=sys.stderr)
        return NOT_BEGUN
    return WELL if done else NOT_WELL


def _run(options: argparse.Namespace, settings: Settings) -> bool:
    access = Access(options.profile, settings.home)
    management = Access(options.management_profile, settings.home) if options.management_profile else None
    terminal = Terminal(yes=options.yes)
    if options.verb == "verify":
        return verify(settings, access, management, everything=options.all)
    if options.verb == "undeploy":
        return undeploy(settings, access, management, terminal)
    alone = options.verb == "deploy-single-account"
    return deploy(settings, access, management, terminal, single_account=alone, only_plan=options.plan)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m backup_rules_cli.deploy", description="Bring the pack into AWS.")
    parser.add_argument("verb", choices=("deploy", "deploy-single-account", "verify", "undeploy"))
    parser.add_argument("--profile", default="", help="the account that owns the pack; default: the environment's")
    parser.add_argument("--management-profile", default="", help="the management account, to include it as well")
    parser.add_argument("--regions", nargs="*", default=[], help="instead of the settings' Regions; the first is home")
    parser.add_argument("--settings", type=Path, default=DEFAULT_SETTINGS, help="default: rdk-config/deployment.yaml")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--plan", action="store_true", help="only show what would be done")
    parser.add_argument("--all", action="store_true", help="verify: show every account, healthy ones too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
