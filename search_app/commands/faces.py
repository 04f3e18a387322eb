"""`rushes faces`: faces in clusters, and names for them."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.commands.options import ARCHIVE, AS_JSON


@click.group()
def faces() -> None:
    """List the faces of an archive in clusters, and name them; `face:NAME` in a query finds who was named."""


@faces.command("list")
@ARCHIVE
@AS_JSON
def list_faces(archive: Path, as_json: bool) -> None:
    """List the clusters of faces of ARCHIVE, the largest first, each with the face that was surest."""
    from indexer.commands.console import print_json, print_table
    from search_app.use_cases.name_faces import cluster_faces
    from store.archive import Archive
    from store.wording import clock

    with Archive.open(archive) as opened:
        clusters = cluster_faces(opened.snapshot())
    if as_json:
        print_json(
            [
                {
                    "cluster": one.number,
                    "names": list(one.names),
                    "faces": [
                        {
                            "video": face.path,
                            "start_seconds": face.row.span.start_seconds,
                            "end_seconds": face.row.span.end_seconds,
                            "box": face.row.box,
                            "score": face.row.score,
                            "name": face.name,
                        }
                        for face in one.faces
                    ],
                }
                for one in clusters
            ]
        )
        return
    rows = [
        (
            str(one.number),
            ", ".join(one.names),
            str(len(one.faces)),
            str(one.n_videos),
            f"{Path(one.faces[0].path).name} {clock(one.faces[0].row.span.start_seconds)}",
        )
        for one in clusters
    ]
    print_table(("cluster", "name", "faces", "videos", "surest in"), rows, right=(0, 2, 3))


@faces.command("name")
@ARCHIVE
@click.argument("cluster", type=click.IntRange(1))
@click.argument("name", required=False, default="")
@click.option("--reset", is_flag=True, help="Take the name back.")
def name_faces(archive: Path, cluster: int, name: str, reset: bool) -> None:
    """Call the faces of CLUSTER, as `rushes faces list ARCHIVE` numbers it, by NAME."""
    from search_app.use_cases.name_faces import name_cluster
    from store.archive import Archive
    from store.wording import n_of, printable

    if bool(name.strip()) == reset:
        raise click.UsageError("give a NAME, or --reset")
    with Archive.open(archive) as opened:
        named = name_cluster(opened, cluster, "" if reset else name)
    said = "have no name" if reset else f"are called {name}; find them with face:{name.split(maxsplit=1)[0]}"
    click.echo(printable(f"{n_of(len(named.faces), 'face')} {said}"))
