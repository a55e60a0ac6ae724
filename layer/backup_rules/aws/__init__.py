"""Reading: what the rules ask AWS, paginated, cached for one invocation, retried. Nothing here decides a verdict."""
