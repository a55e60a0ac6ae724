"""What AWS Backup protects: resource types, databases, file systems."""
