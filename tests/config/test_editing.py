"""Writing a profile into a person's own file."""

import os
import socket
import stat
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.responses import SECRET
from tokenctl.config.config_file import Config, load
from tokenctl.config.editing import change, check, remove, save, set_default
from tokenctl.errors import UsageError
from tokenctl.model.choices import AUTH_METHODS, FLOWS, STORES
from tokenctl.model.profile import Profile

NEW = Profile(name="new", issuer="https://n.example", client_id="n", resource=("urn:x",), params=(("prompt", "login"),))


def read(path: Path) -> Config:
    """Load the config file."""
    return load({"TOKENCTL_CONFIG": str(path)})


def saved(path: Path, text: str, profile: Profile = NEW) -> str:
    """Write the file, save a profile into it, and return the file's text."""
    path.write_text(text, newline="")
    save(read(path), profile)
    return path.read_bytes().decode()


def test_a_first_profile_makes_the_file_and_is_the_default(tmp_path: Path) -> None:
    """The new file is for its owner's eyes."""
    path = tmp_path / "config.toml"
    save(Config(path=path, profiles={}), NEW)
    assert read(path) == Config(path=path, profiles={"new": NEW}, default_profile="new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["config.toml"]


FILES = [
    "# mine\n",
    'default_profile = "work" # me\n\n# about work\n[profiles.work] # w\nissuer   =   "https://a.example"   # i\n# end\n',
    "[profiles]\n\n# two\n[profiles.work]\nport = 0x10\n",
    "profiles.work.issuer = 'https://a.example' # dotted\n",
    "[profiles.work]\nparams = { a = 'b' } # inline\n\n[profiles.home]\nresource = [\n  'urn:x', # first\n]\n",
    "[profiles.work.params]\na = 'b' # last\n",
    "[profiles]\nwork = { issuer = 'https://a.example' } # inline\n",
    "# no line end",
    "",
]


@pytest.mark.parametrize("text", FILES)
def test_comments_order_and_values_are_kept(tmp_path: Path, text: str) -> None:
    """Every line that was there still is, in its order, and every profile reads as before."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    before = read(path)
    after_text = saved(path, text)
    lines = iter(after_text.splitlines())
    assert all(line in lines for line in text.splitlines() if line)
    after = read(path)
    assert dict(after.profiles) == {**before.profiles, "new": NEW}
    assert after.default_profile == (before.default_profile if before.profiles else "new")


@pytest.mark.parametrize("text", ["profiles = {}\n", "profiles = { work = { port = 1 } }\n"])
def test_profiles_on_one_line_can_be_added_to(tmp_path: Path, text: str) -> None:
    """TOML allows it, so a person may have written it."""
    path = tmp_path / "config.toml"
    saved(path, text)
    assert read(path).profiles["new"] == NEW


def test_line_ends_are_kept(tmp_path: Path) -> None:
    """A file from Windows stays one."""
    text = '# mine\r\n[profiles.work]\r\nissuer = "https://a.example"\r\n'
    found = saved(tmp_path / "config.toml", text)
    assert found.startswith(text)
    assert "\n" not in found.replace("\r\n", "")


def test_the_invisible_mark_of_a_windows_editor_is_no_error(tmp_path: Path) -> None:
    """A byte order mark stands before the first line, and stays there."""
    found = saved(tmp_path / "config.toml", "\ufeff[profiles.work]\n")
    assert found[0] == "\ufeff" and list(tomllib.loads(found[1:])["profiles"]) == ["work", "new"]


def test_what_is_not_an_ordinary_file_is_never_replaced(tmp_path: Path) -> None:
    """As root the folder of a device can be written to; a socket stands for the device here."""
    path = tmp_path / "config.toml"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        for write in (check, save):
            with pytest.raises(UsageError, match="it is not an ordinary file"):
                write(Config(path=path, profiles={}), NEW)
    assert stat.S_ISSOCK(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400])
def test_the_mode_is_kept(tmp_path: Path, mode: int) -> None:
    """What its owner decided."""
    path = tmp_path / "config.toml"
    path.write_text("[profiles.work]\n")
    path.chmod(mode)
    save(read(path), NEW)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("relative", [True, False])
def test_a_link_stays_a_link_and_its_target_is_written(tmp_path: Path, relative: bool) -> None:
    """Config files are often links into a repository of dotfiles."""
    (tmp_path / "dotfiles").mkdir()
    target = tmp_path / "dotfiles" / "tokenctl.toml"
    target.write_text("# mine\n")
    link = tmp_path / "config.toml"
    link.symlink_to("dotfiles/tokenctl.toml" if relative else target)
    save(read(link), NEW)
    assert link.is_symlink() and target.read_text().count("# mine") == 1
    assert read(target).profiles == {"new": NEW}
    assert os.listdir(target.parent) == ["tokenctl.toml"]


def test_a_link_to_nothing_makes_its_target(tmp_path: Path) -> None:
    """The link's meaning is followed even before there is a file."""
    (tmp_path / "config.toml").symlink_to("target.toml")
    save(Config(path=tmp_path / "config.toml", profiles={}), NEW)
    assert read(tmp_path / "target.toml").profiles == {"new": NEW}


def test_a_missing_folder_is_made_when_the_profile_is_saved(tmp_path: Path) -> None:
    """Private; asking beforehand makes nothing."""
    config = Config(path=tmp_path / "a" / "tokenctl" / "config.toml", profiles={})
    check(config, NEW)
    assert os.listdir(tmp_path) == []
    save(config, NEW)
    assert stat.S_IMODE(config.path.parent.stat().st_mode) == 0o700 and read(config.path).profiles == {"new": NEW}


def test_a_folder_that_cannot_be_written_to_is_found_out_beforehand(tmp_path: Path) -> None:
    """Before a person signs in, with a hint what to do."""
    (tmp_path / "file").write_text("")
    config = Config(path=tmp_path / "file" / "config.toml", profiles={})
    for call in (check, save):
        with pytest.raises(UsageError, match="file") as caught:
            call(config, NEW)
        assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    "content", [b"[profiles", b"profiles = 7\n", b"[[profiles]]\n", b"\xff", b"profiles.new = 7\nx"]
)
def test_a_file_that_was_broken_during_the_sign_in_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """A usage error that says what to write by hand, and nothing is lost."""
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    for call in (check, save):
        with pytest.raises(UsageError, match=r"config\.toml") as caught:
            call(Config(path=path, profiles={}), NEW)
        assert "[profiles.new]" in (caught.value.hint or "")
    assert path.read_bytes() == content and os.listdir(tmp_path) == ["config.toml"]


def test_a_profile_that_appeared_during_the_sign_in_is_not_lost(tmp_path: Path) -> None:
    """Two people, or two shells, can make different ones at the same time."""
    path = tmp_path / "config.toml"
    before = Config(path=path, profiles={})
    path.write_text("[profiles.other]\nport = 1\n")
    save(before, NEW)
    assert read(path).profiles == {"new": NEW, "other": Profile(name="other", port=1)}


def test_a_setting_that_changed_during_the_sign_in_is_not_lost(tmp_path: Path) -> None:
    """A login saves what its own options changed, and nothing that it only read."""
    path = tmp_path / "config.toml"
    path.write_text('[profiles.new]\nissuer = "https://n.example"\nscope = "a"\nport = 1\n')
    before = read(path)
    path.write_text('[profiles.new]\nissuer = "https://n.example"\nscope = "b"\naudience = "x"\n')
    save(before, replace(before.profiles["new"], client_id="n"))
    text = '[profiles.new]\nissuer = "https://n.example"\nscope = "b"\naudience = "x"\nclient_id = "n"\n'
    assert path.read_text() == text


def test_a_profile_that_was_removed_during_the_sign_in_is_whole_again(tmp_path: Path) -> None:
    """With all of its settings, and not only with those that the login changed."""
    path = tmp_path / "config.toml"
    path.write_text('[profiles.new]\nissuer = "https://n.example"\nport = 1\n')
    before = read(path)
    path.write_text("")
    changed = replace(before.profiles["new"], client_id="n")
    save(before, changed)
    assert read(path).profiles == {"new": changed}


EDITED = """\
# mine
default_profile = "work"  # me

[profiles.work] # w
issuer = "https://a.example" # i
min_ttl   = "5m" # five
# about home
[profiles.home]
issuer = "https://b.example"
"""


def test_a_change_touches_its_own_lines_only(tmp_path: Path) -> None:
    """Comments, blanks, order and the way in which other values are written stay."""
    path = tmp_path / "config.toml"
    path.write_text(EDITED)
    change(read(path), "work", {"issuer": "https://c.example", "resource": ["urn:x"]}, ["min_ttl"])
    assert path.read_text() == EDITED.replace("a.example", "c.example").replace(
        'min_ttl   = "5m" # five\n', 'resource = ["urn:x"]\n'
    )


LISTS = [
    'hosts = [\n  # all\n  "https://a.example", # A\n  "https://b.example", # B\n] # end\n',
    'hosts = ["https://a.example", # A\n  "https://b.example"] # end\n',
    'hosts = [\n  "https://a.example", # A\n  "https://b.example" # B\n  # last\n]\n',
    'hosts = ["https://a.example"\n  , "https://b.example" # B\n]\n',
]


@pytest.mark.parametrize("text", LISTS)
@pytest.mark.parametrize("hosts", ["ab", "abc", "abcd", "a", "b", "bc", "c", "ba", "cab"])
def test_a_list_is_changed_entry_by_entry(tmp_path: Path, text: str, hosts: str) -> None:
    """The comments of the entries that stay are kept, where the order stays and tomlkit can do it."""
    path = tmp_path / "config.toml"
    path.write_text(f"[profiles.work]\n{text}")
    wanted = [f"https://{each}.example" for each in hosts]
    change(read(path), "work", {"hosts": wanted})
    assert list(read(path).profiles["work"].hosts) == wanted
    if hosts.startswith("ab") and text in LISTS[:2]:
        assert all(comment in path.read_text() for comment in ("# all", "# A", "# B", "# end") if comment in text)


def test_another_default_is_one_changed_line(tmp_path: Path) -> None:
    """Where there is none yet, it becomes the first line."""
    path = tmp_path / "config.toml"
    path.write_text(EDITED)
    set_default(read(path), "home")
    assert path.read_text() == EDITED.replace('"work"  #', '"home"  #')
    path.write_text("# mine\n[profiles.home]\n")
    set_default(read(path), "home")
    assert path.read_text() == 'default_profile = "home"\n\n# mine\n[profiles.home]\n'


@pytest.mark.parametrize("text", [*FILES, EDITED])
def test_a_removed_profile_leaves_the_others_as_they_were(tmp_path: Path, text: str) -> None:
    """However the file is written; a default profile that is gone is none."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    before = read(path)
    for name in before.profiles:
        path.write_text(text)
        remove(before, name)
        after = read(path)
        assert dict(after.profiles) == {each: value for each, value in before.profiles.items() if each != name}
        assert after.default_profile == (None if before.default_profile == name else before.default_profile)


@pytest.mark.parametrize("name", ["work", "home", "last"])
def test_the_comment_before_a_profile_outlives_the_profile_above(tmp_path: Path, name: str) -> None:
    """In TOML it is a part of the table above it; for a person it is about the one below."""
    path = tmp_path / "config.toml"
    blocks = {each: f"# about {each}\n[profiles.{each}]\nport = 1 # {each}\n\n" for each in ("work", "home", "last")}
    path.write_text("".join(blocks.values()))
    remove(read(path), name)
    left = [line for each, block in blocks.items() for line in block.splitlines() if each != name or "about" in line]
    assert [line for line in path.read_text().splitlines() if line] == [line for line in left if line]


@pytest.mark.parametrize(("values", "removed"), [({}, ["params"]), ({"params": {"c": "d"}}, [])])
def test_the_comment_before_a_profile_outlives_a_setting_above(
    tmp_path: Path, values: dict[str, Any], removed: list[str]
) -> None:
    """The setting can be a table of its own, whose last lines are about the next profile."""
    path = tmp_path / "config.toml"
    path.write_text('[profiles.work]\nport = 1\n[profiles.work.params]\na = "b"\n\n# about home\n[profiles.home]\n')
    change(read(path), "work", values, removed)
    assert path.read_text().endswith("\n\n# about home\n[profiles.home]\n")


def test_a_temporary_file_that_a_killed_run_left_goes(tmp_path: Path) -> None:
    """After an hour, since a younger one can belong to a run that lives."""
    path = tmp_path / "config.toml"
    old, young = tmp_path / ".config.toml.a.next", tmp_path / ".config.toml.b.next"
    for each in (old, young):
        each.write_text("")
    os.utime(old, (1, 1))
    saved(path, "")
    assert sorted(os.listdir(tmp_path)) == [".config.toml.b.next", "config.toml"]


def test_a_link_in_the_place_of_a_temporary_file_is_not_followed(tmp_path: Path) -> None:
    """Another program cannot foresee the name, and nothing is written through a name that it made."""
    victim = tmp_path / "victim"
    victim.write_text("")
    (tmp_path / ".config.toml.next").symlink_to(victim)
    saved(tmp_path / "config.toml", "")
    assert victim.read_text() == ""


lines = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
profiles = st.builds(
    Profile,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,10}", fullmatch=True),
    flow=st.sampled_from(FLOWS),
    store=st.sampled_from(STORES),
    resource=st.lists(st.from_regex(r"[a-z]:[!-\"$-~]{1,9}", fullmatch=True), max_size=3).map(tuple),
    min_ttl=st.integers(0, 10**9),
    port=st.none() | st.integers(1, 65535),
    token_endpoint_auth_method=st.none() | st.sampled_from(AUTH_METHODS),
    env=st.none() | st.just("TOKEN") | lines.map(lambda text: f"A={text}"),
    params=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3).map(
        lambda found: tuple(found.items())
    ),
    **dict.fromkeys(
        ("issuer", "client_id", "scope", "audience", "redirect_uri", "token_endpoint", "jwks_uri"),
        st.none() | lines,
    ),
    ca_file=st.none() | lines.map(lambda text: f"/{text}"),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(profile=profiles, text=st.sampled_from(FILES))
def test_what_is_saved_loads_as_the_same_profile(tmp_path: Path, profile: Profile, text: str) -> None:
    """Whatever characters are in it, and whatever was in the file."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    before = read(path)
    if profile.name not in before.profiles:
        saved(path, text, profile)
        assert read(path).profiles == {**before.profiles, profile.name: profile}
        found: dict[str, Any] = tomllib.loads(path.read_text())
        assert SECRET not in str(found)
