"""The default names of what is deployed. Each is a parameter of the templates that use it."""

from __future__ import annotations

PACK_NAME = "backup-config-rules"
FUNCTION_PREFIX = "backup-config-rules-"
FUNCTION_ROLE_NAME = "BackupConfigRulesFunctions"
MEMBER_ROLE_NAME = "BackupConfigRulesMemberRole"
