"""tokenctl: one login; after that every tool gets a fresh access token.

The house. Follow the data: a *flow* begins a session, *storage* keeps it, the *broker* renews it, a
*handoff* gives the access token away.

    cli             the command table, errors to stderr and exit status
    commands/       one file a subcommand, thin; show.py alone knows rich
    narrowing       a token with fewer rights, beside the session
    moving          a session moves in (login), moves house (store migrate), moves out (revoke)
    broker          the heart: how a session is kept alive, in ten steps
    record          the newest session there is: in the store, or on its way there
    worker          the process that does a renewal and outlives whoever asked for it
    handoff/        how a token leaves: environment, token file
    flows/          how tokens are got: one grant from start to token set
    runtime         the composition root: everything that touches the world, opened on first use
    errand          what a worker is told, and what it answers
    detached        starting a process that survives us, and putting signals off
    storage/        where a session lives: keyring, slots, encrypted file, memory; lock, journal, redo log, pin
    clock           the time since this machine booted
    transport       the only module that knows httpx
    id_token        verifies with PyJWT; assertion signs with it; nothing else knows it
    ambient         the identity that a CI platform or a cluster gives a job
    loopback        the redirect listener, the only module that knows http.server
    config          config file and environment
    terminal        the voice on stderr; stdout is the answer's, and shells what TAB needs
    oauth/          the protocol, pure: records in, records out
    profile         how to get a token; no secrets; each setting with its check, from profile_checks;
                    token_api is the part of it for APIs that are not OAuth
    session         what a login produced
    errors          every failure, its hint and its exit status
    demo/           an authorization server of our own, and the play it is for

Each room imports only from those below it (import-linter holds that). Three rules:

- *Core and shell.* `oauth/` builds a Request and reads a Response; sending happens elsewhere. Time
  enters as a number, randomness as bytes.
- *The hot path is sacred.* `token` and `exec` with a fresh session import no HTTP, no JWT, no rich.
  The command table and the table of flows name modules; only what runs is loaded.
- *Nothing but `revoke` deletes a session.*

Left out on purpose: the implicit and the password grant, PKCE `plain`, ID tokens with HS* or none,
turning certificate checks off, configuration from the current directory, printing a refresh token.
"""

__version__ = "0.1.0"
