"""What a person reads: problems and notes, annotations that fit, quoting that shows blanks."""
