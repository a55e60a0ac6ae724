"""Why a scheduled AWS Backup plan will not run: what the AWS Config rules of this pack share.

The modules of this package judge, and know nothing of AWS's wire; `backup_rules.aws` reads, and decides nothing;
`backup_rules.rule` joins the two for AWS Config.
"""
