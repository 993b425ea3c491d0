"""`tokenctl refresh`: renew now."""

import click

from tokenctl.broker import downscoped as narrowing
from tokenctl.broker import renewal as broker
from tokenctl.cli.options import as_json, each_profile, every, with_runtime
from tokenctl.cli.output import answer
from tokenctl.cli.views import document
from tokenctl.runtime import Runtime


@click.command("refresh")
@every
@as_json
@click.option("--with-api-key", is_flag=True, help="Begin again with the API key, or the machine's own credentials.")
@with_runtime
def command(runtime: Runtime, name: str | None, every: bool, as_json: bool, with_api_key: bool) -> int:
    """Renew the session now.

    However fresh its access token is: after your rights have changed, say.
    """
    documents = []

    def renew(name: str | None) -> None:
        profile = runtime.profile(name)
        session = broker.renew(runtime, profile, again=with_api_key)
        if profile.store != "memory":
            with runtime.locked(profile):  # rights may have changed: those of narrower tokens too
                narrowing.forget(runtime, profile, runtime.store(profile))
        documents.append(document.of_session(runtime, profile, runtime.store(profile), session))
        life = document.span(session.remaining(runtime.time_of(session)))
        runtime.terminal.message(f"renewed {profile.name}; the access token lives {life}")

    status = 0
    if every:
        status = each_profile(runtime, renew)
    else:
        renew(name)
    if as_json:
        answer(document.as_text(documents if every else documents[0]))
    return status
