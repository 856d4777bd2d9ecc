"""Training: the loop around a learning rule, with sessions, events, history and progress."""
