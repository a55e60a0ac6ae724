"""What a Config rule about AWS Backup meets of AWS."""
