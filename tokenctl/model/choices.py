"""The words that a setting of a profile or an argument can be. `--help` needs some of them, and no profile."""

FLOWS = ("auto", "browser", "device", "client-credentials", "api-key", "workload")
LASTING_STORES = ("keyring", "session", "file")
"""Stores whose sessions outlive the process."""
STORES = (*LASTING_STORES, "memory")
AUTH_METHODS = (
    "none",
    "client_secret_basic",
    "client_secret_basic_raw",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
)
ASSERTION_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"),
    *("EdDSA", "Ed25519"),
)
SOURCES = ("auto", "github", "gitlab", "circleci", "buildkite", "azure", "kubernetes", "gcp", "file", "env", "command")
IDENTITY_USES = ("token-exchange", "jwt-bearer", "client-assertion")
ANOMALIES = (
    "refresh-token-refused",
    "session-changed-outside",
    "subject-changed",
    "clock-jumped",
    "too-many-renewals",
    "keyring-failing",
    "lock-waits",
    "idle-session",
)
"""The names of the kinds of anomalies; `audit.kinds` has their detectors."""
