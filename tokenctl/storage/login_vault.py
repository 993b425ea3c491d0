"""The vaults of a login and of `store migrate`: they write to another store than the one that has the session now."""

from tokenctl.errors import StoreDamaged, StoreError
from tokenctl.model.session import Session
from tokenctl.model.store import Store
from tokenctl.storage.local_vault import LocalVault


class LoginVault(LocalVault):
    """The vault for a login: its store is the profile's. It reads the older session from where the last login put it."""

    @property
    def store(self) -> Store:
        return self._stores.of_login

    @property
    def previous(self) -> Store | None:
        _ = self.store  # where both are one store, it is opened once
        return self._stores.chosen

    def _find(self) -> tuple[Session, Store] | None:
        try:
            return super()._find()
        except StoreDamaged:
            raise
        except StoreError as error:  # the older session cannot be read where it is: no reason not to sign in here
            if self.previous in (None, self.store):
                raise
            self._runtime.terminal.warning(f"an older session can be in another store: {error.message}")
            return None


class SourceVault(LocalVault):
    """The vault from which a session moves: its store is that of the last login, whatever TOKENCTL_STORE says."""

    @property
    def store(self) -> Store:
        return self._stores.chosen or self._stores.of_profile
