"""Worlds in which the config file, an option or a variable is wrong."""

from tests.support.machine import Machine
from tests.support.worlds.world import add_option, sign_in, unset, world

ANOTHER = '\n[profiles.other]\nissuer = "https://login.invalid"\nclient_id = "c"\n'


@world(2, "no profile", remedy="tokenctl login", mend=None)
def no_config_file(machine: Machine) -> None:
    """Nothing was ever configured."""
    machine.home.config.unlink()


@world(
    2,
    "config.toml",
    "line 5",
    remedy="correct that line",
    mend=lambda machine, found: machine.edit_config("= tokenctl", '= "tokenctl'),
)
def config_file_is_no_toml(machine: Machine) -> None:
    """A quote is missing."""
    machine.edit_config('client_id = "', "client_id = ")


@world(2, "config.toml", "directory", remedy="", mend=None)
def config_file_is_a_folder(machine: Machine) -> None:
    """Somebody made a folder of that name."""
    machine.home.config.unlink()
    machine.home.config.mkdir()


@world(2, "nowhere.toml", remedy="TOKENCTL_CONFIG", mend=unset)
def config_file_of_a_variable_is_absent(machine: Machine) -> None:
    """TOKENCTL_CONFIG names a file that is not there."""
    machine.environ["TOKENCTL_CONFIG"] = str(machine.home.folder / "nowhere.toml")


@world(2, "wrok", remedy="work", mend=lambda machine, found: add_option(machine, f"-p {found}"))
def unknown_profile(machine: Machine) -> None:
    """A typing mistake in `-p`."""
    machine.words = ("-p", "wrok")


@world(
    2,
    "several profiles",
    remedy="tokenctl profile default [A-Z]+",
    mend=lambda m, found: m.type(found.replace("NAME", "work")),
)
def two_profiles_and_no_default(machine: Machine) -> None:
    """Nothing says which profile is meant."""
    machine.edit_config('default_profile = "work"\n', "")
    machine.edit_config("[profiles.work]", f"{ANOTHER}\n[profiles.work]")


@world(2, "default_profile", "gone", remedy="default_profile", mend=lambda m, found: m.edit_config('"gone"', '"work"'))
def default_profile_is_gone(machine: Machine) -> None:
    """The default names a profile that is not in the file."""
    machine.edit_config('default_profile = "work"', 'default_profile = "gone"')


@world(2, "has the issuer", "TOKENCTL_ISSUER is", remedy="unset TOKENCTL_ISSUER", mend=unset)
def issuer_of_a_variable_contradicts_the_profile(machine: Machine) -> None:
    """The shell has another server than the named profile."""
    machine.environ["TOKENCTL_ISSUER"] = "https://other.invalid"
    machine.words = ("-p", "work")


@world(2, "scpoe", remedy="scope", mend=lambda machine, found: machine.edit_config("scpoe", found))
def misspelt_setting(machine: Machine) -> None:
    """A typing mistake in the config file."""
    machine.edit_config("scope =", "scpoe =")


@world(0, "TOKENCTL_MIN_TLL", "TOKENCTL_MIN_TTL", remedy="unset TOKENCTL_MIN_TLL", mend=unset)
def misspelt_variable(machine: Machine) -> None:
    """A variable without effect."""
    machine.environ["TOKENCTL_MIN_TLL"] = "5m"


@world(
    2,
    "TOKENCTL_CLIENT_SECRET",
    "empty",
    remedy="unset",
    mend=lambda machine, found: unset(machine, "TOKENCTL_CLIENT_SECRET"),
)
def empty_secret(machine: Machine) -> None:
    """A job of a pull request from a fork gets empty secrets."""
    machine.environ["TOKENCTL_CLIENT_SECRET"] = ""


@world(2, "TOKENCTL_API_KEY", "work", remedy="unset TOKENCTL_API_KEY", mend=unset)
def secret_of_a_machine_over_a_person(machine: Machine) -> None:
    """A secret that the profile does not use."""
    machine.environ["TOKENCTL_API_KEY"] = "canary-api-key-0123456789"
    machine.secrets.append("canary-api-key-0123456789")


@world(2, "TOKENCTL_CLIENT_SECRET_FILE", "cannot be read", remedy="TOKENCTL_CLIENT_SECRET_FILE", mend=unset)
def file_of_a_secret_is_absent(machine: Machine) -> None:
    """The secret was not mounted."""
    machine.environ["TOKENCTL_CLIENT_SECRET_FILE"] = str(machine.home.folder / "nowhere.txt")


@world(2, "CI is set", "person", remedy="-p work", mend=add_option)
def job_with_the_profile_of_a_person(machine: Machine) -> None:
    """A CI job on the machine of a person gets that person's token only by name."""
    machine.environ["CI"] = "true"


@world(
    4,
    "tokenctl-demo",
    "CLIENT_ID",
    "another",
    remedy="undo the change",
    mend=lambda machine, found: machine.edit_config('"another"', '"tokenctl-demo"'),
)
def another_client_since_the_login(machine: Machine) -> None:
    """Somebody edited client_id."""
    machine.edit_config('"tokenctl-demo"', '"another"')


@world(4, "scope", remedy="tokenctl login", mend=sign_in)
def another_scope_since_the_login(machine: Machine) -> None:
    """Somebody edited scope."""
    machine.edit_config('"openid offline_access"', '"openid offline_access api"')
