"""How it is written down what the demo organization plants: of which thing a rule must speak, and of which twin not.

The rows stand in each rule's `demo.py`, written by hand: nothing in them comes from what the rule does. A thing is
named as the module that plants it names it; `says` is what must be found in the annotation, however it is worded.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expected:
    """A verdict: `broken` is NON_COMPLIANT, anything else is a healthy twin. `account` is its name."""

    account: str
    region: str
    rule: str
    name: str
    broken: bool
    says: str = ""


MANAGEMENT, SECURITY = "management", "security-backup-administration"
PAYMENTS, ANALYTICS = "payments-production", "analytics-staging"
CHINA, GOVCLOUD = "retail-china", "records-govcloud"
IRELAND, VIRGINIA = "eu-west-1", "us-east-1"


def rows(
    rule: str, account: str, region: str, broken: dict[str, str], healthy: tuple[str, ...] = ()
) -> tuple[Expected, ...]:
    return (
        *(Expected(account, region, rule, name, broken=True, says=says) for name, says in broken.items()),
        *(Expected(account, region, rule, name, broken=False) for name in healthy),
    )


# An account's verdict is named by its id.
_IDS = {MANAGEMENT: "111122223333", SECURITY: "444455556666", PAYMENTS: "123456789012", ANALYTICS: "777788889999"}


def account(rule: str, account: str, region: str, broken: str | None) -> tuple[Expected, ...]:
    return (Expected(account, region, rule, _IDS[account], broken=broken is not None, says=broken or ""),)
