"""`tokenctl login`: sign in once."""

import sys
from typing import Any

import click

from tokenctl import flows
from tokenctl.broker import lifecycle as moving
from tokenctl.cli import questions as api_questions
from tokenctl.cli.options import as_json, some_seconds, with_runtime
from tokenctl.cli.output import answer
from tokenctl.cli.views import document
from tokenctl.config import config_file as config
from tokenctl.config import editing as config_edit
from tokenctl.config.secret_sources import of_client, sendable
from tokenctl.errors import UsageError
from tokenctl.model.profile import ENVIRONMENT_PROFILE, FLOWS, SOURCES, STORES, Profile, from_members
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import Store

FIRST = "default"
"""The name of a first profile that nobody named."""


@click.command("login")
@click.option("--issuer", metavar="URL", help="The authorization server, just as its documentation writes it.")
@click.option("--client-id", metavar="ID", help="The client registered there for this tool.")
@click.option(
    "--scope",
    multiple=True,
    metavar="SCOPE",
    help="May be repeated, or several in quotes; offline_access for a session that lasts.",
)
@click.option("--resource", multiple=True, metavar="URL", help="The API the token is for (RFC 8707); may be repeated.")
@click.option("--audience", metavar="A", help="The API the token is for, at servers that say audience.")
@click.option("--flow", type=click.Choice(FLOWS), help="How to sign in; auto: browser, else device code.")
@click.option(
    "--source",
    type=click.Choice(SOURCES),
    help="With the flow workload: whose identity the job has; auto finds the platform.",
)
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The port of the redirect URI, where the server wants an exact one.",
)
@click.option(
    "--timeout",
    callback=some_seconds,
    default="5m",
    metavar="DURATION",
    show_default=True,
    help="How long to wait for the sign-in.",
)
@click.option("--client-secret-stdin", is_flag=True, help="Read the client secret from stdin.")
@click.option("--api-key-stdin", is_flag=True, help="Read the API key (or password) from stdin.")
@click.option("--store", type=click.Choice(STORES), help="Where the session is kept.")
@click.option(
    "--param",
    multiple=True,
    metavar="K=V",
    help="Another parameter of the authorization request; an empty V leaves one out.",
)
@click.option("--switch-account", is_flag=True, help="Keep the session even if it is another person's than before.")
@as_json
@with_runtime
def command(
    runtime: Runtime,
    name: str | None,
    no_browser: bool,
    timeout: int,
    client_secret_stdin: bool,
    api_key_stdin: bool,
    switch_account: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Sign in once; the session goes into the keyring.

    The options of a profile's first login are saved as that profile, so that later 'tokenctl login -p
    NAME' is enough.
    """
    given = _members(options)
    profile, new = _profile(runtime, name, given)
    by_key = profile.flow == "api-key"
    if (client_secret_stdin and by_key) or (api_key_stdin and not by_key):
        raise UsageError(
            f"the {profile.flow} flow has no use for what is on stdin",
            hint="--api-key-stdin goes with --flow api-key, --client-secret-stdin with the others",
        )
    # Whatever could fail afterwards is found out before a person signs in for nothing.
    if new:
        config_edit.check(runtime.config, profile)
    moving.check(runtime, profile)
    store = runtime.new_store(profile)
    lines = profile.auth_method == "private_key_jwt"
    if client_secret_stdin or api_key_stdin:
        secret: str | None = _secret_from_stdin("API key" if by_key else "client secret", lines=lines)
    elif profile.client_key_file:
        secret = runtime.client_secret(profile)
    else:
        secret = of_client(runtime.environ, "API_KEY" if by_key else "CLIENT_SECRET", runtime.terminal, lines=lines)
    if secret is None and by_key and runtime.terminal.attended and store.read_secret(profile.name) is None:
        secret = runtime.terminal.ask_secret("API key")
        if not sendable(secret):
            raise UsageError(
                "no API key was given, or one with a control character in it",
                hint="try again, or set TOKENCTL_API_KEY_FILE to a file that holds it",
            )
    if secret is None and _is_confidential(profile):
        secret = store.read_secret(profile.name)  # a machine that signs in again
    session = flows.begin(
        runtime,
        profile,
        keep=lambda session: moving.login(
            runtime, profile, session, None if profile.client_key_file else secret, switch=switch_account
        ),
        client_secret=secret,
        no_browser=no_browser,
        timeout=timeout,
    )
    if new:
        with runtime.config_locked():
            config_edit.save(runtime.config, profile)
    _report(runtime, profile, store, session, new)
    if as_json:
        answer(document.as_text(document.of_session(runtime, profile, store, session)))


def _members(options: dict[str, Any]) -> dict[str, Any]:
    """Turn the options that were given into a profile's members."""
    members = {key: value for key, value in options.items() if value not in (None, ())}
    if "scope" in members:
        members["scope"] = " ".join(" ".join(members["scope"]).split())
    if "param" in members:
        pairs = [each.partition("=") for each in members.pop("param")]
        for key, equals, _ in pairs:
            if not equals or not key:
                raise UsageError(f"--param {key!r:.60} is not written as NAME=VALUE")
        members["params"] = {key: value for key, _, value in pairs}
    return members


def _profile(runtime: Runtime, name: str | None, given: dict[str, Any]) -> tuple[Profile, bool]:
    """Find the profile to sign in to, or make a new one of the options; tells which."""
    settings = config.from_environment(runtime.environ, besides=given)
    known = runtime.config.profiles
    wanted = name or runtime.environ.get("TOKENCTL_PROFILE") or runtime.config.default_profile
    if wanted is None and len(known) == 1 and "issuer" not in given:
        wanted = next(iter(known))
    if wanted is None and not known and "issuer" in settings and not given:
        wanted = ENVIRONMENT_PROFILE
    if wanted == ENVIRONMENT_PROFILE and wanted not in known:
        return config.ad_hoc(settings | given, runtime.environ), False
    if wanted is None and known:
        raise UsageError(
            "say which profile to sign in to, with -p NAME",
            hint=f"there are: {', '.join(known)}; another name makes a new one",
        )
    wanted = wanted or FIRST
    if wanted not in known:
        if given.get("flow") == "api-key":
            return api_questions.described(runtime, wanted, settings | given), True
        return _new(wanted, settings | given), True
    profile = known[wanted]
    for key in ("issuer", "client_id"):
        if key in given and given[key] != getattr(profile, key):
            raise UsageError(
                f"profile {wanted!r} has another {key}: {getattr(profile, key)}",
                hint=f"choose another name with -p, or change {runtime.config.path}",
            )
    return config.override(profile, settings | given, "option") if settings or given else profile, False


def _new(name: str, members: dict[str, Any]) -> Profile:
    for key, option in (("issuer", "--issuer URL"), ("client_id", "--client-id ID")):
        if key not in members:
            raise UsageError(
                f"there is no profile {name!r} yet, and {option} is missing",
                hint=f"tokenctl login -p {name} --issuer URL --client-id ID",
            )
    return from_members(name, members, "option")


def _secret_from_stdin(what: str, *, lines: bool = False) -> str:
    option = f"--{what.lower().replace(' ', '-')}-stdin"
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(f"{option} reads a pipe", hint=f"such as: pass show it | tokenctl login {option} ...")
    secret = sys.stdin.read(65536).removesuffix("\n").removesuffix("\r")
    if not sendable(secret, lines=lines):
        raise UsageError(f"the {what} on stdin is empty, or more than one line")
    return secret


def _is_confidential(profile: Profile) -> bool:
    return profile.flow in flows.MACHINE or profile.token_endpoint_auth_method not in (None, "none")


def _report(runtime: Runtime, profile: Profile, store: Store, session: Session, new: bool) -> None:
    terminal = runtime.terminal
    who = session.account or session.client_id
    life = document.span(session.remaining(runtime.time_of(session)))
    if profile.store == "memory":
        terminal.message(f"signed in to {profile.name} as {who}; nothing is kept, each command signs in by itself")
    else:
        terminal.message(f"signed in to {profile.name} as {who}; kept in {document.place(store)}")
        renews = (
            "and renews itself"
            if session.refresh_token or session.flow in flows.MACHINE
            else "and cannot be renewed: the server gave no refresh token"
        )
        terminal.message(f"the access token lives {life} {renews}")
    if new:
        terminal.message(f"saved as profile {profile.name} in {runtime.config.path}")
        terminal.hint(f"try: tokenctl show{'' if not runtime.config.profiles else f' -p {profile.name}'}")
