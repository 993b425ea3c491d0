"""Audit: reads the event log, and finds what an ordinary life does not explain. It writes nothing but its own events.

`kinds` is the table of anomalies. `report` reads the log once and gives every event to each of them.
"""
