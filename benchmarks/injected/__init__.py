"""Bad models for `benchmarks/alarms.py`, as an app of its own: each process finds them as it finds all others."""
