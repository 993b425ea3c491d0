"""Audit: reads the event log, and finds what an ordinary life does not explain. It writes nothing but its own events.

`kinds` is the table of anomalies. `report` reads the log once and gives every event to each of them. It counts by profile
(`tally`) and over time (`over_time`), and keeps the last events (`recent`). `own_events` writes what a person knows.
"""
