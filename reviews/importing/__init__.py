"""Import of products, reviews and ratings from files that others made (docs/importing.md).

A file is read as records (reading.py), a map says which columns feed which field (mapping.py, presets.py), each value
is checked (fields.py), a chunk of good rows is copied into a temporary table (staging.py) and stored from there in one
transaction (stores.py); bad rows go to a file of their own (rejects.py). importer.py is the loop over the chunks,
command.py the command line.
"""
