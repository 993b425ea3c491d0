"""Kubernetes: a projected service account token."""

import os
from pathlib import Path

from tokenctl.identity.source import Job, Source, read_file

TOKEN_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def get(job: Job) -> str:
    """Read the token file."""
    return read_file(_file(job))


def detect(job: Job) -> bool:
    """Look for the token file."""
    return os.path.exists(_file(job))  # not Path.exists, which raises where the folder cannot be searched


def _file(job: Job) -> Path:
    return Path(job.profile.source_file or TOKEN_FILE)


SOURCE = Source(get=get, detect=detect, looks_for=str(TOKEN_FILE))
