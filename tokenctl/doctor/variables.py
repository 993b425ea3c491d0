"""Check: the environment variables that take part. Their names are shown, and never their values."""

from collections.abc import Iterator

from tokenctl.config import environment
from tokenctl.config import variables as settings
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.model.profile import ENVIRONMENT_PROFILE, Profile

NAME = "variables"
OTHERS = (
    *(name for names in environment.JOBS for name in names),
    *("XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"),
    *("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "PYTHON_KEYRING_BACKEND"),
    *("KEYRING_PROPERTY_PREFERRED_COLLECTION", "KEYRING_PROPERTY_KEYRING_KEY"),
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"),
    *("https_proxy", "http_proxy", "all_proxy", "no_proxy"),
    *("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY"),
    *("NO_COLOR", "GITHUB_ACTIONS", "PYTHONPATH"),
)
"""Variables of other programs that change what tokenctl does."""


def look(case: Case) -> Iterator[Finding]:
    """List the variables, and warn of those that have no effect."""
    environ = case.runtime.environ
    own = sorted(each for each in environ if each in settings.NAMES)
    others = [each for each in dict.fromkeys(OTHERS) if each in environ]
    named = ", ".join(own) or "no variable of tokenctl is set"
    yield Finding(
        check=NAME,
        status="ok",
        sentence=f"{named}; also set: {', '.join(others)}" if others else named,
        more={"variables": [*own, *others]},
    )
    for text in _without_effect(case):
        unset = f"unset {text.partition(' ')[0]}"
        remedy = f"correct its name, or: {unset}" if "is no variable" in text else unset
        yield Finding(check=NAME, status="warning", sentence=text, remedy=remedy)


def _without_effect(case: Case) -> Iterator[str]:
    runtime = case.runtime
    if case.profile is None:  # then only the names are known to be wrong
        return settings.warnings(runtime.environ, Profile(name=ENVIRONMENT_PROFILE), ad_hoc=True)
    ad_hoc = environment.is_ad_hoc(runtime.config, runtime.environ, case.name)
    return settings.warnings(runtime.environ, case.profile, ad_hoc=ad_hoc)
