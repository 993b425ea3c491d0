"""tokenctl: one login; after that every tool gets a fresh access token.

For a Python program; `tokenctl help python` has examples:

    tokenctl.access_token("work").value                    a fresh access token
    httpx.Client(auth=tokenctl.TokenAuth("work"))          httpx: a fresh token in each request to the profile's hosts
    requests.get(url, auth=tokenctl.RequestsAuth("work"))  the same for requests
    tokenctl.TokenctlError                                 what they raise; it has `message`, `hint` and `exit_status`

`import tokenctl` loads none of the libraries: each name is loaded when it is used.

The architecture. Follow the data: a *flow* begins a session, the *vault* keeps it, the *broker* renews it, a
*handoff* gives its access token away.

    fast_path  `token`, `exec` and the helpers from a copy in the kernel's keyring, before anything else is loaded
    cli        the command table, what can be typed (commands), what it does (actions), and what it shows (views)
    demo       a small authorization server and a tour of the commands
    audit      reads the event log, and finds what an ordinary life does not explain: one pure function an anomaly, a table
    doctor     why it does not work here: one small check a question, a table; reads, and changes nothing
    handoff    how an access token leaves: environment of a child, token file, Python programs, the proxy, the credential
               protocols of other tools (helpers) and their set-up (clients); to which origins (binding)
    broker     how a session is kept alive: current (the hot path), renewal (the caller's steps), worker (the
               worker's steps), downscoped (tokens for a narrower target), lifecycle (begin, move, end)
    flows      one `Flow` record a grant: sign in, build the renewal request, read the reply, revoke
    storage    the vault of one profile: lock, store, redo log, journal; and the event log of all of them
    runtime    what one run uses: environment, clock, terminal, browser, transport
    config     the config file, its editing, the environment, and where secrets come from
    identity   the identity that a platform gives a job: one file a platform
    adapters   one file for each thing outside the process: HTTP, JWTs, terminal, browser, processes, files
    oauth      the protocol as pure functions: Request out, Response in; one file an RFC section
    model      records, and the rules that need nothing else
    errors     every failure, its hint and its exit status

Each folder imports only from those below it (import-linter holds that). The rules:

- *Values, not callbacks.* A function returns a value, and its caller decides what happens next. A renewal reads
  in one file and in order: send the request, read the reply, commit what rotated, verify, commit the successor.
- *Core and shell.* `oauth/` builds a Request and reads a Response; sending happens elsewhere. Time enters as a
  number, randomness as bytes.
- *Tables.* What differs between flows is a member of a `Flow`; what differs between stores is behind `Store` and
  `Vault`. No other folder compares the names of flows or stores.
- *The hot path is sacred.* `token`, `exec` and a helper with a fresh session import no HTTP, no JWT, no rich. What only
  some runs need is imported inside a typed function, which mypy and import-linter see.
- *Nothing but `revoke` deletes a session.* `store migrate` removes the copy that it has moved.

Where to add what:

- a grant: a file in `flows/` that ends in its `FLOW`, a row in `flows.of`, its name in `model.choices.FLOWS`, and
  in `model.session.MACHINE_FLOWS` if it needs no person; its request as a pure function in `oauth/`
- a store in a keyring or a file: a file in `storage/`, a row in `storage.opening`, its name in
  `model.choices.LASTING_STORES`
- a store that many machines share: a third `Vault` beside `LocalVault` and `MemoryVault`, a row in `vault.open` and
  in `vault.open_for_login`, its name in `model.choices.STORES`; its lock is not inherited, so there is no worker
- a platform that gives jobs an identity: a file in `identity/`, a row in its table, its name in `model.choices.SOURCES`
- an anomaly: a pure function over events in `audit/`, a row in `audit.kinds`, and one on the help page `audit`
- a check of the doctor: a function in `doctor/`, and a row in `doctor.checks`
- a credential protocol: a file with four pure functions in `handoff/helpers/`, a row in its table, its line in `LINES`
- a client that `helper install` sets up: a file of functions over its configuration in `handoff/clients/`, a row in its
  table, its line in `LINES`
- a setting of a profile: one line in `model.profile.Profile`, with its type, its default and its check

Each folder's `__init__` says more; `broker/__init__` says who does which step of a renewal.

Left out on purpose: the implicit and the password grant, PKCE `plain`, ID tokens with HS* or none,
turning certificate checks off, configuration from the current directory, printing a refresh token.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenctl.errors import (
        Busy,
        LoginRequired,
        Refused,
        StoreError,
        TokenctlError,
        Unreachable,
        UsageError,
    )
    from tokenctl.handoff.access_token import AccessToken
    from tokenctl.handoff.python_api import access_token
    from tokenctl.handoff.requests_auth import RequestsAuth
    from tokenctl.handoff.token_auth import TokenAuth

__version__ = "0.1.0"
__all__ = [
    "AccessToken",
    "Busy",
    "LoginRequired",
    "Refused",
    "RequestsAuth",
    "StoreError",
    "TokenAuth",
    "TokenctlError",
    "Unreachable",
    "UsageError",
    "access_token",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is used first."""
    if name not in __all__:
        raise AttributeError(f"module 'tokenctl' has no attribute {name!r}")
    globals()[name] = found = _load(name)
    return found


def _load(name: str) -> object:
    match name:
        case "AccessToken":
            from tokenctl.handoff.access_token import AccessToken

            return AccessToken
        case "RequestsAuth":
            from tokenctl.handoff.requests_auth import RequestsAuth

            return RequestsAuth
        case "TokenAuth":
            from tokenctl.handoff.token_auth import TokenAuth

            return TokenAuth
        case "access_token":
            from tokenctl.handoff.python_api import access_token

            return access_token
    from tokenctl import errors

    return getattr(errors, name)


def __dir__() -> list[str]:
    """List the public names too that are not loaded yet."""
    return sorted({*globals(), *__all__})
