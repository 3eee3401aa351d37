"""Whether what a model is asked, and what it answers, is still what it was: two windows of the log, value by value.
Pure.

`fields.py` says which values of a logged prediction are watched, from the task's dataclasses alone. `columns.py` makes
columns of them, a text becoming several (`texts.py`, `embeddings.py`). `distances.py` says how far two samples of a
column are apart, and `judging.py` whether that is drift.

Methods, bins and thresholds are those of Evidently 0.7.23 (Apache-2.0, github.com/evidentlyai/evidently), whose files
under src/evidently/legacy/calculations/stattests/ the docstrings name. Where they err more often than they say, what is
done instead stands there too.
"""
