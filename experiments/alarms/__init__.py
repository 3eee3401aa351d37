"""Says when a live version, or what it is asked, is not as it should be, and may take the version back.

`AlarmRule` in `models.py` says what is watched, by the metrics of `metrics.py`. `readings.py` reads the figures,
`judging.py` says what follows from one, `checking.py` looks at all rules and writes what changed (`ending.py` ends what
no look can end, `telling.py` tells it), and `rolling_back.py` acts. `selectors.py`, `views.py` and `admin.py` show it.
"""
