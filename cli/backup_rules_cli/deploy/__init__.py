"""From a clone to every account of an organization, or to one account: `backup-rules deploy`.

`settings` are what a person chose; `checks` tell what is missing before anything is made; `rollout` says which stacks
make up the deployment and in which order; `plan` shows them; `stacks` makes them so; `verify` reads back what became
of it; `undeploy` takes it away.
"""
