"""A process that keeps its secrets: the environment that other programs inherit, and the limit of core dumps."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.commandline import LONG
from tests.support.paths import ROOT

INHERITED = """
import json, os, subprocess, sys
from tokenctl.adapters import private_process
private_process.begin()
private_process.begin()
child = "import json, os; print(json.dumps(dict(os.environ)))"
print(json.dumps([
    json.loads(subprocess.run([sys.executable, "-c", child], stdout=subprocess.PIPE).stdout),
    dict(private_process.environment()),
]))
"""
SECRETS = {
    f"TOKENCTL_{name}{suffix}": f"canary {name}"
    for name in ("CLIENT_SECRET", "API_KEY", "PASSPHRASE", "ID_TOKEN")
    for suffix in ("", "_FILE")
}


@pytest.mark.slow
def test_what_inherits_the_environment_gets_no_secret() -> None:
    """A program that a library starts is told nothing, and this process still knows everything."""
    environ = {**os.environ, **SECRETS, "TOKENCTL_STATE_DIR": "/s", "OTHER": "kept"}
    done = subprocess.run(
        [sys.executable, "-c", INHERITED], env=environ, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=LONG
    )
    inherited, known = json.loads(done.stdout)
    assert not {*inherited} & {*SECRETS} and "canary" not in str(inherited)
    assert (inherited["TOKENCTL_STATE_DIR"], inherited["OTHER"]) == ("/s", "kept")
    assert SECRETS.items() <= known.items() and (known["TOKENCTL_STATE_DIR"], known["OTHER"]) == ("/s", "kept")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("hard", ["0", "1", "8", "unlimited"])
def test_any_hard_limit_will_do(hard: str) -> None:
    """The limit is never raised above it, and never the 0 with which Linux pipes a dump to a program, if it may be 1."""
    code = "import resource as r; from tokenctl.adapters import private_process as p; p.begin(); print(*r.getrlimit(r.RLIMIT_CORE))"
    words = ["sh", "-c", f'ulimit -H -c {hard} 2>/dev/null || ulimit -c {hard} || exit 77; exec "$0" -c "$1"']
    done = subprocess.run([*words, sys.executable, code], cwd=ROOT, capture_output=True, check=False, timeout=LONG)
    if done.returncode == 77:
        pytest.skip("the hard limit is lower here")
    soft, limit = done.stdout.split()
    assert soft == (b"0" if limit == b"0" else b"1"), done.stderr
