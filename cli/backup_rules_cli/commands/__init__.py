"""The subcommands of `backup-rules`, one module each: options and their meaning. What they do is done elsewhere."""
