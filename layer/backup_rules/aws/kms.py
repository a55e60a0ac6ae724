"""AWS KMS: the state of a key."""

from __future__ import annotations

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field
from backup_rules.aws.memory import remembered
from backup_rules.errors import ReadError
from backup_rules.vaults.vaults import KeyState


@remembered
def key_state(account: Account, key_arn: str) -> KeyState:
    """The state of the key; NOT_FOUND where KMS knows no such key."""

    def parse(answer: Answer) -> KeyState:
        return KeyState(field(field(answer, "KeyMetadata", dict), "KeyState", str))

    try:
        return account.calls.one("kms", "DescribeKey", parse, KeyId=key_arn)
    except ReadError as error:
        if error.code == "NotFoundException":
            return KeyState.NOT_FOUND
        raise
