"""Why a scheduled AWS Backup plan will not run: what the AWS Config rules of this pack share.

The modules of this package judge, and know nothing of AWS's wire; `backup_rules.aws` reads, and decides nothing;
`backup_rules.rule` joins the two for AWS Config.
"""

from __future__ import annotations

import gc

# The AWS SDK and thousands of resources are many objects and hardly a cycle among them. Looking for cycles as often as
# Python does by default takes a sixth of a cold start, and more the more is read.
gc.set_threshold(100_000, 50, 100)
