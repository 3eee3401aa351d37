"""A/B tests whose truth is known, put through the real code: what users do is drawn (`users`), one test after another
is started, served and read in a database of its own (`runs`, `database`), and how often it erred is counted (`rates`).
"""
