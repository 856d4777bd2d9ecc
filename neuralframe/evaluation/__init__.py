"""What a network's answers are worth: confusion matrices, metrics and reports; numpy and attrs only."""
