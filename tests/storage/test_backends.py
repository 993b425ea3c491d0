"""Choosing and opening a keyring backend."""

from collections.abc import Callable, Mapping
from pathlib import Path

import keyring.backends.chainer
import keyrings.alt.file
import keyrings.cryptfile.file
import pytest
from keyring.backend import Crypter, NullCrypter

from tests.servers.hung_bus import HungBus
from tests.servers.secret_service import SecretService
from tests.support.ring import Ring
from tokenctl.errors import NoKeyring, StoreTimedOut, StoreUnavailable
from tokenctl.handoff.helpers.keyring_backend import TokenctlKeyring
from tokenctl.model.profile import Profile
from tokenctl.model.store import Store
from tokenctl.runtime import Runtime
from tokenctl.storage.backends import open_backend
from tokenctl.storage.keyring_store import KeyringStore
from tokenctl.storage.opening import open_store
from tokenctl.storage.patience import UNATTENDED, Patience

PROFILE = Profile(name="t")
LINUX = pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere the platform has one")


class Renamed(keyrings.alt.file.PlaintextKeyring):  # type: ignore[misc]
    """Plain text under a name of its own."""


class Copied(keyrings.cryptfile.file.Keyring):  # type: ignore[misc]
    """Plain text that is no subclass of the known ones, and says so."""

    filename = "copied.cfg"
    scheme = "no encryption"
    version = "1.0"


class Uncrypted(Ring):
    """Leaves the encryption to what does none."""

    def __init__(self) -> None:
        super().__init__()
        self.crypter: Crypter = NullCrypter()


class Wrapped(Ring):
    """Passes entries on to a backend in plain text."""

    def __init__(self) -> None:
        super().__init__()
        self._inner = Renamed()


class Chain(keyring.backends.chainer.ChainerBackend):
    """A chain under a name of its own."""


class Ours(TokenctlKeyring):
    """The backend that gives tokens to pip under a name of its own: it would ask itself."""


class Members(Ring):
    """Passes entries on to whichever of its members takes them."""

    @property
    def backends(self) -> list[object]:
        return [Ring(), Wrapped()]


OURS = "tokenctl.handoff.helpers.keyring_backend.TokenctlKeyring"
REFUSED = [Renamed, Copied, Uncrypted, Wrapped, Chain, Ours, Members]
PlaintextAgain = keyrings.alt.file.PlaintextKeyring


def opened(environ: Mapping[str, str], tmp_path: Path, kind: str = "keyring", backend: str | None = None) -> Store:
    """Open a store as a vault does."""
    return open_store(Runtime(environ), PROFILE, tmp_path, kind, backend)


@pytest.mark.parametrize(
    "name",
    [
        *("keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "keyring.backends.chainer.ChainerBackend"),
        *("keyrings.alt.file.PlaintextKeyring", "keyrings.cryptfile.file.PlaintextKeyring"),
        *(f"{__name__}.{each.__qualname__}" for each in REFUSED),
        *(f"{__name__}.PlaintextAgain", OURS),
        *("no.such.Module", "tokenctl.model.session.Session", "tokenctl.model.session.absent"),
        *("tokenctl.model.session", "Ring", "", ".", "x" * 999, ".relative.Ring"),
    ],
)
def test_a_backend_that_keeps_nothing_or_plain_text_is_refused(name: str, tmp_path: Path) -> None:
    """Under every name, also when the profile names it."""
    with pytest.raises(StoreUnavailable) as caught:
        open_backend(name, UNATTENDED)
    assert len(caught.value.message) < 300
    with pytest.raises(StoreUnavailable):
        opened({}, tmp_path, backend=name or ".")


def test_a_backend_is_opened_by_its_class_name() -> None:
    """The name that a store tells is the one that opens it again."""
    assert isinstance(open_backend(KeyringStore(Ring()).backend, UNATTENDED), Ring)


def test_the_deadline_is_not_for_loading_a_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module on a slow disk, or on a busy machine, is no keyring that does not answer."""
    lines = ("import time", "from tests.support.ring import Ring", "time.sleep(1)", "class Late(Ring): pass")
    (tmp_path / "late_ring.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    assert isinstance(open_backend("late_ring.Late", Patience(seconds=0.1)), Ring)


@pytest.fixture
def variable() -> Callable[[str], Mapping[str, str]]:
    """Name a backend by the keyring library's variable."""
    return lambda name: {"PYTHON_KEYRING_BACKEND": name}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Mapping[str, str]]:
    """Name a backend by the keyring library's config file."""

    def write(name: str) -> Mapping[str, str]:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        path = tmp_path / "python_keyring" / "keyringrc.cfg"
        path.parent.mkdir()
        path.write_text(f"[backend]\ndefault-keyring={name}\n")
        return {}

    return write


SETTINGS = pytest.mark.parametrize("setting", ["variable", pytest.param("file", marks=LINUX)])


@SETTINGS
@pytest.mark.parametrize(
    "name", ["keyrings.alt.file.EncryptedKeyring", "keyrings.cryptfile.cryptfile.CryptFileKeyring"]
)
def test_the_librarys_own_settings_name_a_known_backend(
    request: pytest.FixtureRequest, setting: str, name: str, tmp_path: Path
) -> None:
    """What a person set for the keyring library counts where no login has chosen yet."""
    password = {"KEYRING_PROPERTY_KEYRING_KEY": "x"}  # with it nobody has to be asked
    environ = {**request.getfixturevalue(setting)(name), **password}
    assert opened(environ, tmp_path).backend == name


@SETTINGS
@pytest.mark.parametrize(
    "name",
    [
        "keyring.backends.null.Keyring",
        "keyrings.alt.file.PlaintextKeyring",
        "tests.support.ring.Ring",
        "no.such.Module",
        OURS,
    ],
)
def test_the_librarys_own_settings_name_no_other_backend(
    request: pytest.FixtureRequest, setting: str, name: str, tmp_path: Path
) -> None:
    """A class that is not known to encrypt has to be named in the profile, and one that does not is refused there too."""
    environ = request.getfixturevalue(setting)(name)
    with pytest.raises(StoreUnavailable):
        opened(environ, tmp_path)


@SETTINGS
def test_the_profile_comes_before_the_librarys_own_settings(
    request: pytest.FixtureRequest, setting: str, tmp_path: Path
) -> None:
    """The profile can also name a class that nobody knows."""
    environ = request.getfixturevalue(setting)("keyrings.alt.file.EncryptedKeyring")
    assert opened(environ, tmp_path, backend="tests.support.ring.Ring").backend == "tests.support.ring.Ring"


@LINUX
def test_a_file_of_the_library_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not passed over: a person meant something by it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "python_keyring").mkdir()
    (tmp_path / "python_keyring" / "keyringrc.cfg").write_text("default-keyring\n")
    with pytest.raises(StoreUnavailable, match=r"keyringrc\.cfg cannot be read"):
        opened({}, tmp_path)


@LINUX
def test_without_any_keyring_the_reasons_and_the_ways_out_are_told(tmp_path: Path) -> None:
    """SSH, a container, CI: one clear error."""
    environ = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/absent", "XDG_RUNTIME_DIR": str(tmp_path)}
    with pytest.raises(NoKeyring, match=r"no usable keyring \(the Secret Service keyring: .*; KWallet: ") as caught:
        opened(environ, tmp_path)
    assert "cannot be used" not in caught.value.message
    assert "--store file" in (caught.value.hint or "") and "--store memory" in (caught.value.hint or "")


@LINUX
def test_a_bus_that_lets_nobody_in_is_not_a_keyring_that_is_missing(tmp_path: Path) -> None:
    """No other backend is taken in its place."""
    with HungBus("silent") as bus, pytest.raises(StoreTimedOut):
        opened(bus.environ, tmp_path)


@LINUX
def test_the_session_ring_keeps_to_its_collection(secret_service: SecretService, tmp_path: Path) -> None:
    """What shall end with the session never goes into the collection that stays."""
    store = opened(secret_service.environ, tmp_path, "session")
    assert store.collection == "/org/freedesktop/secrets/collection/session"
    assert opened(secret_service.environ, tmp_path).collection == "/org/freedesktop/secrets/collection/login"
