"""What turns on the resource types that the selection picks."""

from __future__ import annotations

import json
from collections.abc import Iterator

from backup_rules.arns import Place
from backup_rules.aws import backup
from backup_rules_cli.answers.fixes import Broken, aws, remade


def commands(broken: Broken) -> Iterator[str]:
    """One command for all types that are turned off; the selection anew without those that the Region lacks."""
    settings = backup.opt_in(broken.account)
    if isinstance(broken.of, Place):
        rule = broken.judged.by("BACKUP_SERVICE_OPT_IN")
        keys = rule.invocation.parameters.required_resource_types if rule else ()
    else:
        keys = [pick.resource.type.opt_in_key for pick in broken.picked() if pick.resource is not None]
    off = [key for key in dict.fromkeys(keys) if settings.get(key) is False]
    if not off:
        yield from remade(broken)
    else:
        preference = json.dumps(dict.fromkeys(off, True))  # the short form takes no blank, as in Storage Gateway
        yield aws(
            "backup",
            "update-region-settings",
            region=broken.place.region,
            resource_type_opt_in_preference=preference,
        )
