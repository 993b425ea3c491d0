"""The kinds of failure, for tests that hold for each of them."""

from tokenctl import errors
from tokenctl.errors import TokenctlError

CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, TokenctlError)]
