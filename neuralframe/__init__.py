"""Neural networks as objects over flat arrays, trained by map/combine/reduce."""
