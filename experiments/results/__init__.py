"""What an A/B test says so far: metrics made of rows by SQL (`metrics`, `scope`, `aggregates`, `answers`, read together
by `measured`), compared by `statistics/` (`figures`, `judging`, `compared`), and the whole of it (`report`, `summary`).
"""
