"""How fast it is: ``make bench`` measures everything, ``python -m benchmarks.layers --only conv`` one thing."""
