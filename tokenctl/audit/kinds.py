"""The table of anomalies."""

from tokenctl.audit.anomaly import Kind

KINDS: tuple[Kind, ...] = ()
