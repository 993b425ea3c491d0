"""Real clients of registries get their token from tokenctl: docker, skopeo, podman, buildah, cargo, terraform.

Each has the same four cases: a fresh token; one that has ended, and that the registry refuses, is renewed unnoticed; a
dead session, whose reason the client shows; and a registry that no profile is bound to, which gets no token of ours.
"""

import json
import os
import pwd
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.registry import Registry
from tests.support.aging import age
from tests.support.commandline import LONG, Home
from tests.support.flows import refreshes
from tests.support.real_parts import Missing, available, program

SCRIPTS = Path(sysconfig.get_path("scripts"))
WAY_OUT = "run 'tokenctl login -p dead'"
OTHERS = ("DOCKER_", "REGISTRY_", "CONTAINERS_", "XDG_", "CARGO", "TF_")
"""The variables by which clients find another configuration than that of the HOME begin so."""
MODULES = {"bound": "bound.example.com", "dead": "dead.example.com", "open": "open.example.com"}
"""What terraform calls the three registries: it knows no host without a dot."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A HOME where profile `t` is signed in, and bound to a registry; the session of profile `dead` has ended.

    `registries` has `bound`, `dead`, and `open`, which no profile is bound to and everybody can read.
    """

    home: Home
    authority: FaultyServer
    registries: Mapping[str, Registry]

    def run(
        self, *command: str, environ: Mapping[str, str] = {}, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a client in the HOME, with tokenctl on its PATH."""
        path = f"{SCRIPTS}{os.pathsep}{self.home.environ['PATH']}"
        return subprocess.run(
            command,
            env={**self.home.environ, "PATH": path, **environ},
            cwd=cwd or self.home.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )

    def install(self, client: str, origins: Mapping[str, str], environ: Mapping[str, str] = {}) -> None:
        """Set a client up for each registry; then no profile is bound to `open` any more."""
        for origin in origins.values():
            result = self.home.run("helper", "install", client, "--host", origin, environ=environ)
            assert result.status == 0, result.stderr
        assert self.home.run("profile", "set", "t", f"hosts-={origins['open']}").status == 0

    def sent(self, name: str) -> set[str]:
        """Tell what clients have sent to a registry as Authorization since it was asked the last time, and forget it."""
        asked = self.registries[name].asked
        headers = {each.authorization for each in asked if each.authorization is not None}
        asked.clear()
        return headers


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Sign in twice, let one of the sessions end, and start the registries."""
    with ExitStack() as stack:
        authority, other = (stack.enter_context(FaultyServer(auto_approve=True)) for _ in range(2))
        bound, dead = Registry(authority), Registry(other)
        registries = {"bound": bound, "open": Registry(None), "dead": dead}
        for registry in registries.values():
            stack.enter_context(registry)
        home = Home(tmp_path_factory.mktemp("registries") / "home")
        for each in [name for name in home.environ if name.startswith(OTHERS)]:
            del home.environ[each]
        for profile, issuer, name in (("t", authority, "bound"), ("dead", other, "dead")):
            assert home.login(issuer.issuer, profile=profile).status == 0
            hosts = f"hosts+={registries[name].origin}", f"hosts+=https://{MODULES[name]}"
            for each in hosts:
                assert home.run("profile", "set", profile, each).status == 0
        assert home.run("profile", "default", "t").status == 0
        other.kill_session()
        age(home, profile="dead")
        yield World(home=home, authority=authority, registries=registries)


Client = Callable[[World, str, Path], subprocess.CompletedProcess[str]]
"""Gets something from the registry with a name, in a folder of its own."""


def gets_its_token(world: World, client: Client, folder: Path) -> None:
    """See that a client gets a fresh token, and a renewed one in the place of one that has ended."""
    first = client(world, "bound", folder / "first")
    assert first.returncode == 0, first.stderr
    fresh, before = world.sent("bound"), refreshes(world.authority)
    assert fresh and "tokenctl" not in first.stderr
    age(world.home)
    world.authority.expire_access_tokens()
    second = client(world, "bound", folder / "second")
    assert second.returncode == 0, second.stderr
    renewed = world.sent("bound")
    assert renewed and not renewed & fresh and refreshes(world.authority) == before + 1
    assert "tokenctl" not in second.stderr


def shows_why(world: World, client: Client, folder: Path) -> None:
    """See that a client shows why there is no token, and that it has sent none."""
    result = client(world, "dead", folder / "dead")
    assert WAY_OUT in " ".join(re.sub(r"[│\n]", " ", result.stderr).split()), result.stderr
    assert result.returncode != 0 and world.sent("dead") == set()


# -- images ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def images(world: World) -> World:
    """Set docker up, whose configuration the others read too."""
    world.install("docker", {name: registry.origin for name, registry in world.registries.items()})
    return world


STORAGE = ("--root", "storage", "--runroot", "run", "--storage-driver", "vfs")
IMAGES = {
    "docker": ("manifest", "inspect", "--insecure", "{image}"),
    "skopeo": ("--insecure-policy", "copy", "--src-tls-verify=false", "docker://{image}", "dir:image"),
    "podman": (*STORAGE, "pull", "--quiet", "--tls-verify=false", "{image}"),
    "buildah": (*STORAGE, "pull", "--quiet", "--tls-verify=false", "{image}"),
}


@pytest.fixture(params=IMAGES)
def puller(request: pytest.FixtureRequest) -> Client:
    """Return a client that gets an image."""
    with available():
        path = program(request.param)

    def pull(world: World, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
        folder.mkdir()
        words = (word.format(image=f"{world.registries[name].host}/demo:1") for word in IMAGES[request.param])
        return world.run(path, *words, cwd=folder)

    return pull


def test_an_image_is_pulled(images: World, puller: Client, tmp_path: Path) -> None:
    """The registry gets the token as the password of `oauth2`."""
    gets_its_token(images, puller, tmp_path)
    shows_why(images, puller, tmp_path)
    assert puller(images, "open", tmp_path / "open").returncode == 0 and images.sent("open") == set()


def test_docker_login_and_logout(images: World) -> None:
    """Both end well for a bound registry; a password of another one is not lost without a word."""
    with available():
        docker = program("docker")
    login = (docker, "login", "-u", "oauth2", "--password-stdin")
    token = images.home.run("token", "-p", "t").stdout
    bound, other = (images.registries[name].host for name in ("bound", "open"))
    assert "Login Succeeded" in images.run(*login, bound, stdin=token).stdout
    assert images.run(docker, "logout", bound).returncode == 0
    refused = images.run(*login, other, stdin="secret")
    assert refused.returncode == 1 and "tokenctl keeps no passwords" in refused.stderr
    assert images.run(docker, "logout", other).returncode == 0


# -- crates ------------------------------------------------------------------------------------------------

PROVIDERS = {
    "installed": [],
    "in its protocol": [str(SCRIPTS / "cargo-credential-tokenctl"), "-p", "{profile}"],
    "in one line": ["cargo:token-from-stdout", str(SCRIPTS / "tokenctl"), "helper", "cargo", "-p", "{profile}"],
}
"""What cargo asks for the token; the words of the last two stand in its configuration as a person wrote them."""
OF_CARGO = "Bearer of-cargo"
"""The token that cargo's own provider has for the registry `open`."""


def cargo() -> str:
    """Where cargo is, of a version that knows credential providers; rustup installs one, and Debian 12 has an older one."""
    with available():
        path = program("cargo")
        asked = subprocess.run([path, "--version"], env=RUSTUP, capture_output=True, text=True, check=False).stdout
        found = re.match(r"cargo (\d+)\.(\d+)", asked)
        if found is None or (int(found[1]), int(found[2])) < (1, 74):
            raise Missing("no cargo 1.74 or newer on PATH, which rustup installs")
    return path


RUSTUP = os.environ | {"RUSTUP_HOME": os.environ.get("RUSTUP_HOME", f"{pwd.getpwuid(os.getuid()).pw_dir}/.rustup")}
"""Tells a cargo of rustup where it is, in spite of another HOME."""


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_crate_is_fetched(world: World, provider: str, tmp_path: Path) -> None:
    """The token comes as cargo sends it. Another registry gets it from the next provider, where cargo has one."""
    path = cargo()
    set_cargo_up(world, tmp_path, PROVIDERS[provider])

    def fetch(world: World, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "lib.rs").touch()
        (folder / "cargo").mkdir()
        shutil.copy(tmp_path / "config.toml", folder / "cargo")
        package = '[package]\nname = "own"\nversion = "0.1.0"\n[dependencies]\n'
        (folder / "Cargo.toml").write_text(f'{package}demo = {{ version = "1", registry = "{name}" }}\n')
        environ = {"CARGO_HOME": str(folder / "cargo"), "CARGO_REGISTRIES_OPEN_TOKEN": OF_CARGO}
        return world.run(path, "fetch", environ={"RUSTUP_HOME": RUSTUP["RUSTUP_HOME"], **environ}, cwd=folder)

    gets_its_token(world, fetch, tmp_path)
    shows_why(world, fetch, tmp_path)
    unbound = fetch(world, "open", tmp_path / "open")
    sent = {OF_CARGO} if provider == "in its protocol" else set()
    assert (unbound.returncode == 0, world.sent("open")) == (bool(sent), sent), unbound.stderr


def set_cargo_up(world: World, folder: Path, provider: list[str]) -> None:
    """Write cargo's configuration: its registries, and the provider as a person writes it, or as `helper install` does."""

    def words(profile: str) -> str:
        return json.dumps([word.format(profile=profile) for word in provider])

    origins = {name: registry.origin for name, registry in world.registries.items()}
    text = "".join(f'[registries.{name}]\nindex = "sparse+{origin}/index/"\n' for name, origin in origins.items())
    if provider:
        text += f"credential-provider = {words('dead')}\n"  # of the last registry
        text += f"[credential-alias]\ntokenctl = {words('t')}\n"
        text += '[registry]\nglobal-credential-providers = ["cargo:token", "tokenctl"]\n'
    (folder / "config.toml").write_text(text)
    if not provider:
        world.install("cargo", origins, {"CARGO_HOME": str(folder)})


# -- modules -----------------------------------------------------------------------------------------------


def terraform() -> str:
    """Where terraform is; HashiCorp's own apt archive has it."""
    with available():
        return program("terraform")


def set_terraform_up(world: World) -> None:
    """Tell terraform where the registries are, and let `helper install` add the helper."""
    hosts = "".join(
        f'host "{MODULES[name]}" {{\n  services = {{\n    "modules.v1" = "{registry.origin}/modules/"\n'
        f'    "providers.v1" = "{registry.origin}/providers/"\n  }}\n}}\n'
        for name, registry in world.registries.items()
    )
    (world.home.folder / ".terraformrc").write_text(hosts)
    world.install("terraform", {name: f"https://{host}" for name, host in MODULES.items()})


def test_a_module_is_installed(world: World, tmp_path: Path) -> None:
    """Terraform shows the reason of a dead session for a provider; for a module it has only a line in its log."""
    path = terraform()
    set_terraform_up(world)

    def init(world: World, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
        folder.mkdir()
        text = f'module "demo" {{\n  source = "{MODULES[name]}/team/demo/aws"\n  version = "1.0.0"\n}}\n'
        if name == "dead":
            source = f'{{ source = "{MODULES[name]}/team/demo" }}'
            text = f"terraform {{\n  required_providers {{\n    demo = {source}\n  }}\n}}\n"
        (folder / "main.tf").write_text(text)
        return world.run(path, "init", "-no-color", "-input=false", environ={"CHECKPOINT_DISABLE": "1"}, cwd=folder)

    gets_its_token(world, init, tmp_path)
    shows_why(world, init, tmp_path)
    assert init(world, "open", tmp_path / "open").returncode == 0 and world.sent("open") == set()
    out = world.run(path, "logout", MODULES["bound"], environ={"CHECKPOINT_DISABLE": "1"})
    assert out.returncode == 0 and world.home.run("token", "-p", "t").status == 0
