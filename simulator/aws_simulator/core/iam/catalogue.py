"""Which resources an action can be about, as far as it matters to AWS Backup.

`actions.json` gives, for the actions that AWS's managed policies for backups and these rules name, the ARN formats of
AWS's Service Authorization Reference; no format for an action that is never about a single resource. IAM's policy
simulator answers implicitDeny when such an action is simulated on an ARN that it can't be about, even if everything is
allowed: `ec2:DescribeVolumes` on a volume, for instance. Actions whose entry in the reference disagrees with AWS's own
managed policies (`fsx:DescribeFileSystems`) are left out, and an action that is not listed is taken to fit any ARN.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Final

_WITHIN_ONE_PART: Final = {"Partition", "Region", "Account"}
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@cache
def arn_formats() -> dict[str, tuple[str, ...]]:
    """The ARN formats of each listed action, by the action in lower case."""
    listed: dict[str, list[str]] = json.loads(files(__package__).joinpath("actions.json").read_text(encoding="utf-8"))
    return {action.lower(): tuple(formats) for action, formats in listed.items()}


def fits(action: str, resource: str) -> bool:
    """Whether the action can be about that resource; `*` always fits.

    Buckets and objects count as one, as AWS's simulator has it.
    """
    formats = arn_formats().get(action.lower())
    if resource == "*" or formats is None:
        return True
    return any(_pattern(arn_format).fullmatch(resource) for arn_format in formats)


@cache
def _pattern(arn_format: str) -> re.Pattern[str]:
    if arn_format.endswith(("${BucketName}", "${BucketName}/${ObjectName}")):
        arn_format = "arn:${Partition}:s3:::${BucketName}"
    pieces = _PLACEHOLDER.split(arn_format)
    pattern = _text(pieces[0])
    for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
        pattern += ("[^:]*" if name in _WITHIN_ONE_PART else ".+") + _text(text)
    return re.compile(pattern)


def _text(text: str) -> str:
    return re.escape(text).replace(re.escape("*"), "[^:]*")  # a format may leave the account open
