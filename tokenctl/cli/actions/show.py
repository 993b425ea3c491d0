"""What `tokenctl show` does: say who is signed in, where, and for how long; never the token itself."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from tokenctl.broker.standing import Standing, standing
from tokenctl.cli.options import each_profile
from tokenctl.cli.output import answer, stdout_is_terminal
from tokenctl.cli.views import document
from tokenctl.errors import LoginRequired, TokenctlError
from tokenctl.model.session import MACHINE_FLOWS, Session
from tokenctl.model.session_state import OtherSession
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.many_vaults import ManyVaults
from tokenctl.storage.vault import Vault


def show(
    runtime: Runtime, name: str | None, *, every: bool, as_json: bool, claims: bool, verify: bool, introspect: bool
) -> int:
    """Show the profile, or `every` one, and return the exit status. Raises TokenctlError."""
    describe = partial(_describe, runtime, claims=claims, verify=verify, introspect=introspect)
    if every:
        documents: list[dict[str, Any]] = []
        many = ManyVaults(runtime, list(runtime.config.profiles))

        def add(name: str) -> None:
            shown = describe(many.open(name))
            documents.append(shown.document)
            # A list of profiles has those without a session too; that is no failure.
            if shown.problem is not None and shown.document["state"] != "logged_out":
                raise shown.problem

        _, status = each_profile(runtime, add)
        _print_all(documents, as_json=as_json)
        return status
    shown = describe(vaults.open(runtime, runtime.profile(name)))
    _print(runtime, shown.document, as_json=as_json)
    if shown.problem is not None:
        raise shown.problem
    if not shown.vault.lasting:
        runtime.terminal.message(f"{shown.vault.profile.name}: its tokens are not kept; each command signs in again")
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What is shown about one profile, and the problem with its tokens, if there is one."""

    vault: Vault
    document: dict[str, Any]
    problem: TokenctlError | None


def _describe(runtime: Runtime, vault: Vault, *, claims: bool, verify: bool, introspect: bool) -> _Shown:
    session = vault.newest()
    stands = standing(runtime, vault, session, vault.profile.min_ttl)
    found = document.described(runtime, vault, session, stands.state)
    problem = _problem(runtime, vault, session, stands)
    if isinstance(problem, OtherSession) and _can_begin(runtime, vault, session):
        found["state"], problem = "expired", None  # the machine begins another one at the next use
    elif isinstance(problem, LoginRequired) and found["state"] == "expired":
        found["state"] = "login_required"
    if session is not None and not isinstance(problem, OtherSession) and (claims or verify or introspect):
        from tokenctl.flows import inspection

        if claims:
            found["claims"] = inspection.claims(session)
        if verify:
            found["verified"], not_signed = inspection.verify(runtime, vault.profile, session)
            problem = not_signed or problem
        if introspect:
            found["introspection"] = inspection.introspect(runtime, vault, session)
    if problem is None and found["refresh_token"]["state"] == "dead" and found["flow"] not in MACHINE_FLOWS:
        runtime.terminal.warning(
            f"the server ended the session of {vault.profile.name!r}; its access token still lives"
        )
        runtime.terminal.hint(vault.profile.login_hint)
    return _Shown(vault=vault, document=found, problem=problem)


def _can_begin(runtime: Runtime, vault: Vault, session: Session | None) -> bool:
    from tokenctl.broker.lifecycle import can_begin

    return can_begin(runtime, vault, session)


def _problem(runtime: Runtime, vault: Vault, session: Session | None, stands: Standing) -> TokenctlError | None:
    """Return the error that `token` would end with; a vault that keeps nothing has none.

    `token` finds out at the renewal that the client's secret is gone; this looks for it.
    """
    if not vault.lasting:
        return None
    if session is not None and stands.problem is None and stands.state == "expired":
        from tokenctl.flows import clients

        try:
            clients.secret_of_session(runtime, vault, session)
        except LoginRequired as gone:
            return gone
    return stands.problem


def _print(runtime: Runtime, found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        answer(document.as_text(found))
    elif not stdout_is_terminal():
        answer("\n".join(document.lines(found)))
    else:
        from tokenctl.cli.views import panels

        panels.draw(panels.panel(found, runtime.now()))


def _print_all(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        answer(document.as_text(found))
    elif found and not stdout_is_terminal():
        answer("\n\n".join("\n".join(document.lines(each)) for each in found))
    elif found:
        from tokenctl.cli.views import panels, tables

        panels.draw(tables.sessions(found))
