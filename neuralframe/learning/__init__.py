"""How a weight vector is improved and when to stop: learning rules and stop conditions."""
