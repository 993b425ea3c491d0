"""The table of anomalies. Each detector is a pure function over the events; see `anomaly.Detect`.

A new kind is a row here, its name in `model.choices.ANOMALIES`, because the command line does not load the detectors, and a
row in the help page `audit`: tests compare the three. A person is told of it at once only if `model.anomalous.is_notable`
knows the event that completes it.
"""

from tokenctl.audit import clocks, replaced, theft, trouble, usage
from tokenctl.audit.anomaly import Kind

KINDS: tuple[Kind, ...] = (
    Kind(name=theft.NAME, detect=theft.refused),
    Kind(name=replaced.CHANGED, detect=replaced.changed),
    Kind(name=replaced.SUBJECT, detect=replaced.subject),
    Kind(name=clocks.NAME, detect=clocks.jumped),
    Kind(name=usage.MANY, detect=usage.too_many),
    Kind(name=trouble.FAILING, detect=trouble.keyring_failing),
    Kind(name=trouble.WAITS, detect=trouble.lock_waits),
    Kind(name=usage.IDLE, detect=usage.idle),
)
