"""Times in words."""


def span(seconds: int) -> str:
    """Write a number of seconds for a person: `45 s`, `14 m 20 s`, `6 h 3 m`, `7 d`."""
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{number} {unit}" for number, unit in parts[:2] if number or len(parts) == 1) or "0 s"
