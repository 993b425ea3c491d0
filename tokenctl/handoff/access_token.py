"""The access token that a Python program gets."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token. `expires_at` is epoch seconds (UTC); None when nobody knows when it ends.

    `scope` is what was granted, where the server said so. `profile` is the name of the profile that it is of. Its text
    for people (`repr`) has no secret.
    """

    value: str = field(repr=False)
    token_type: str
    expires_at: int | None
    scope: str | None
    profile: str

    @property
    def authorization(self) -> str:
        """The value of the header `Authorization` (RFC 6750 section 2.1)."""
        return f"{self.token_type} {self.value}"
