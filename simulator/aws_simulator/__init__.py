"""AWS on one machine: moto, and what moto lacks of it. See `aws_simulator.simulation`."""
