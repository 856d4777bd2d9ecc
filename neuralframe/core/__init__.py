"""What a network is and what its numbers mean; numpy and attrs only."""
