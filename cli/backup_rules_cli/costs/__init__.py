"""What the pack does and costs in a month: a formula, with no AWS call in it.

`tests/cli/test_costs.py` compares it, call by call, with what the handlers were recorded doing in the simulator.
"""
