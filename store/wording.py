"""Numbers, names and times in messages for people."""


def n_of(number: int, thing: str) -> str:
    """A number of things: `1 shot`, `1,200 shots`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """The text on one line, with characters that cannot be shown as escapes: file names may hold anything."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )


def clock(seconds: float) -> str:
    """Seconds as people read them: `2:03.4` or `1:02:03.4`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    second = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{second}" if hours else f"{minutes}:{second}"
