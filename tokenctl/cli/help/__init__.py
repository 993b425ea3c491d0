"""The topic pages of `tokenctl help TOPIC`: one Markdown file each, beside this one."""

from importlib.resources import files

TOPICS = {
    "ci": "Pipelines and scripts: GitHub, GitLab, a plain shell.",
    "environment": "Every variable, and who is asked for.",
    "keyrings": "What each keyring promises, and what to do where there is none.",
    "security": "What is protected from whom, and what is not.",
}
"""Name of a topic -> its line in the list of topics, in the order of the list."""


def page(topic: str) -> str:
    """Read a topic's page: Markdown."""
    return files(__name__).joinpath(f"{topic}.md").read_text(encoding="utf-8")
