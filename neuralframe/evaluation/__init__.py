"""What a network's answers are worth: metrics, reports, folds and paired tests; scipy for ranks and tests."""
