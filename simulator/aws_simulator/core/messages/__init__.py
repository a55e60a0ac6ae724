"""What AWS Config sends and records: events and configuration items. Knows no moto."""
