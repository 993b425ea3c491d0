"""The table of anomalies. Each detector is a pure function over the events; see `anomaly.Detect`.

A new kind is a row here, its name in `model.choices.ANOMALIES`, because the command line does not load the detectors, and a
row in the help page `audit`: tests compare the three. A person is told of it at once only if `model.anomalous.is_notable`
knows the event that completes it.
"""

from tokenctl.audit import clocks, replaced, theft, trouble, usage
from tokenctl.audit.anomaly import Kind

KINDS: tuple[Kind, ...] = (
    Kind(
        name=theft.NAME,
        meaning="The server refused a refresh token that only this machine should have: somebody else may have used it.",
        detect=theft.refused,
    ),
    Kind(
        name=replaced.CHANGED,
        meaning="The keyring has another session than the one that was put there, and no login here explains it.",
        detect=replaced.changed,
    ),
    Kind(
        name=replaced.SUBJECT,
        meaning="The session became another person's, and nobody who signed in here agreed to that.",
        detect=replaced.subject,
    ),
    Kind(
        name=clocks.NAME,
        meaning="The clock of this machine was set to a wrong time, or the machine went back to a snapshot.",
        detect=clocks.jumped,
    ),
    Kind(
        name=usage.MANY,
        meaning="The session was renewed more often in an hour than the life of its access tokens explains.",
        detect=usage.too_many,
    ),
    Kind(
        name=trouble.FAILING,
        meaning="The keyring failed three times in a row or more, and has not worked since.",
        detect=trouble.keyring_failing,
    ),
    Kind(
        name=trouble.WAITS,
        meaning="Commands gave up three times within a day, because another process held the lock for too long.",
        detect=trouble.lock_waits,
    ),
    Kind(
        name=usage.IDLE,
        meaning="The session is alive, and nobody has used it for 30 days.",
        detect=usage.idle,
    ),
)
