"""What is made of the rules' findings: Security Hub, Systems Manager, queries over many accounts, remediation."""
