"""The profile `env`, which the environment alone describes."""

import os
from collections.abc import Container, Mapping
from typing import Any

from tokenctl.config import pem, secret_sources, variables
from tokenctl.errors import UsageError
from tokenctl.model.choices import LASTING_STORES
from tokenctl.model.profile import CHECKS, ENVIRONMENT_PROFILE, Profile, from_members
from tokenctl.model.session import IDENTITY_FLOWS, MACHINE_FLOWS

SELECTING = ("ISSUER", "CLIENT_ID", "ID_TOKEN")
"""The variables that choose the profile `env`: each says who is asked, or who asks."""
_FLOW_OF = {"CLIENT_SECRET": "client-credentials", "API_KEY": "api-key", "ID_TOKEN": "workload"}
_SECRET_OF = {"client-credentials": "CLIENT_SECRET", "api-key": "API_KEY"}


def ad_hoc(environ: Mapping[str, str], options: Mapping[str, Any] = {}) -> Profile:
    """Make the profile called `env`: each setting can come from `TOKENCTL_<SETTING>`, or from `options`.

    A credential says which flow it is for; a machine keeps nothing, unless TOKENCTL_STORE says otherwise. Raises
    UsageError when the issuer or the client_id is missing, two credentials leave the flow open, or a credential of the
    environment would not be the one that is presented.
    """
    members = variables.settings(environ, CHECKS, except_for=options) | dict(options)
    missing = [f"TOKENCTL_{name.upper()}" for name in ("issuer", "client_id") if name not in members]
    if missing and "api" not in members:
        raise UsageError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, and {_why(environ)}",
            hint=f"set {' and '.join(missing)}, or name another profile with -p",
        )
    preset = _of_credentials(environ, members)
    if members.get("flow", preset.get("flow")) in MACHINE_FLOWS:
        preset["store"] = "memory"
    profile = from_members(ENVIRONMENT_PROFILE, {**preset, **members}, "environment")
    _check_presented(profile, environ)
    return profile


def _check_presented(profile: Profile, environ: Mapping[str, str]) -> None:
    """Raise UsageError when a credential of the environment would not be presented, and nothing says which is meant."""
    if (
        profile.flow in IDENTITY_FLOWS
        and variables.is_set(environ, "ID_TOKEN")
        and not reads_id_token(profile, environ)
    ):
        raise UsageError(
            f"TOKENCTL_ID_TOKEN is set, and the source {profile.source} takes the job's identity from elsewhere",
            hint="unset TOKENCTL_ID_TOKEN, or unset TOKENCTL_SOURCE and the variables that belong to it",
        )
    if variables.is_set(environ, "CLIENT_SECRET") and profile.client_key_file:
        raise UsageError(
            "TOKENCTL_CLIENT_SECRET and TOKENCTL_CLIENT_KEY_FILE are both set, and a client has one of them",
            hint="unset one of them",
        )
    own = _SECRET_OF.get(profile.flow)
    if own and (variables.is_set(environ, own) or profile.client_key_file):
        return  # the flow was chosen, and has its own
    for name in ("API_KEY", "ID_TOKEN"):
        if variables.is_set(environ, name) and profile.flow != _FLOW_OF[name]:
            raise UsageError(
                f"TOKENCTL_{name} is set, and the {profile.flow} flow does not present it",
                hint=f"unset TOKENCTL_{name}, or choose its flow: {_FLOW_OF[name]}",
            )


def reads_id_token(profile: Profile, environ: Mapping[str, str]) -> bool:
    """Tell whether the profile's identity is that of `TOKENCTL_ID_TOKEN` or of its `_FILE`."""
    path = _id_token_file(environ)
    return profile.source_file == path if path else profile.reads_variable("TOKENCTL_ID_TOKEN")


def _id_token_file(environ: Mapping[str, str]) -> str | None:
    path = environ.get("TOKENCTL_ID_TOKEN_FILE")
    return os.path.abspath(path) if path else None


def check_credential(profile: Profile, environ: Mapping[str, str]) -> None:
    """Raise UsageError when the profile `env` keeps nothing and has no credential to present."""
    needed = _SECRET_OF.get(profile.flow)
    if needed and not (profile.store in LASTING_STORES or variables.is_set(environ, needed) or profile.client_key_file):
        raise UsageError(
            f"TOKENCTL_{needed} is not set, and the {profile.flow} flow needs it",
            hint=f"set TOKENCTL_{needed}, or TOKENCTL_{needed}_FILE",
        )


def _why(environ: Mapping[str, str]) -> str:
    """Say why the environment alone describes the profile."""
    selecting = [f"TOKENCTL_{each}" for each in SELECTING if f"TOKENCTL_{each}" in environ]
    selecting += [f"TOKENCTL_{each}_FILE" for each in SELECTING if f"TOKENCTL_{each}_FILE" in environ]
    if selecting:
        return f"{selecting[0]} says that the environment describes the profile"
    return f"the environment describes the profile {ENVIRONMENT_PROFILE!r}"


def _of_credentials(environ: Mapping[str, str], members: Container[str]) -> dict[str, Any]:
    """Make the settings that the environment's credentials mean."""
    meant = [flow for name, flow in _FLOW_OF.items() if variables.is_set(environ, name)]
    if not meant and "client_key_file" in members:
        meant = ["client-credentials"]
    if len(meant) > 1 and "flow" not in members:
        names = " and ".join(f"TOKENCTL_{name}" for name in _FLOW_OF if variables.is_set(environ, name))
        raise UsageError(f"{names} are set, and each is for another flow", hint="set TOKENCTL_FLOW, or unset one")
    preset: dict[str, Any] = {"flow": meant[0]} if meant else {}
    if "token_endpoint_auth_method" not in members and _is_private_key(environ):
        preset["token_endpoint_auth_method"] = "private_key_jwt"
    if variables.is_set(environ, "ID_TOKEN"):
        path = _id_token_file(environ)
        preset |= {"source": "file", "source_file": path} if path else {"source": "env"}
    return preset


def _is_private_key(environ: Mapping[str, str]) -> bool:
    """Tell whether the client secret is a private key in PEM, which is never sent as a password."""
    if not variables.is_set(environ, "CLIENT_SECRET"):
        return False
    return (secret_sources.from_environment(environ, "CLIENT_SECRET") or "").startswith(pem.BEGIN)
