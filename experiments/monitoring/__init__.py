"""What the log of predictions says, added up so that looking at it costs the same however long the log is; and how the
log stays short.

`rollups.py` adds predictions up to minutes, hours and days, with the histograms of `histogram.py`. `measures.py` has
the rooms say what came of the answers. `summary.py` reads both, as `report.py` lays out, and nothing of the log itself.
`page.py` makes words and charts of that for `admin_page.py`, with `bucket_table.py`, `quality_table.py`, `time_axis.py`
and `time_charts.py`. `selectors.py` reads what else is on the page.
`text_retention.py` takes the texts out of old predictions (`texts.py` says where they stand), and `pruning.py` moves
old months into files (`exports.py`). `watermarks.py` keeps how far each job got.
"""
