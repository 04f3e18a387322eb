"""Numbers of things in messages for people."""


def n_of(number: int, thing: str) -> str:
    """A number of things: `1 shot`, `1,200 shots`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
