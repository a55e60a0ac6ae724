"""`rdk init` waits 16 seconds for a role to spread through AWS. In the simulator there is nothing to wait for."""

import time

setattr(time, "sleep", lambda _seconds: None)  # noqa: B010 - mypy forbids assigning to a function
