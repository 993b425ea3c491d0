"""The profiles that there are, for hints: a config file that cannot be read has none."""

from collections.abc import Mapping

from tokenctl.config import config_file as files
from tokenctl.errors import TokenctlError
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime


def profiles(obj: object, config_file: str | None) -> Mapping[str, Profile]:
    """Return the profiles of the config file. `obj` is the program's Runtime, if there is one already."""
    runtime = obj if isinstance(obj, Runtime) else Runtime()
    try:
        return files.load(runtime.environ, config_file or runtime.config_file).profiles
    except TokenctlError:
        return {}
