"""finding-events-everywhere.yaml: finding-events.yaml in every account of an organization, by a StackSet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backup_rules_cli.templates.declarations import interface, text
from backup_rules_cli.templates.intrinsics import sub
from backup_rules_cli.templates.names import PACK_NAME
from backup_rules_cli.templates.organization import where_parameters
from backup_rules_cli.templates.pieces import stack_set
from backup_rules_cli.templates.yaml_text import Noted


def finding_events_everywhere(template: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The rollout for one Region. `template`: the text of finding-events.yaml, and `parameters` what it declares."""
    own = {
        "PackName": text(
            "The StackSet is named after it.",
            PACK_NAME,
            pattern="^[a-zA-Z][-a-zA-Z0-9]{0,100}$",
            constraint="must begin with a letter, and have at most 101 letters, digits and hyphens.",
        ),
        **where_parameters("Where the events are sent from: ids of OUs, or of the root."),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "AWS Backup Config rules: every account sends their compliance changes to the central account."
        " For one Region, from the organization's management account or a delegated administrator.",
        "Metadata": interface({"Accounts": tuple(own), "Events and findings": tuple(parameters)}),
        "Parameters": {**own, **parameters},
        "Resources": {
            "FindingEventsStackSet": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": stack_set(
                    sub("${PackName}-events"),
                    "Sends the compliance changes of the AWS Backup Config rules to one account.",
                    parameters,
                    "Regions",
                    {Noted("TemplateBody", "The same as finding-events.yaml."): template},
                ),
            }
        },
    }
