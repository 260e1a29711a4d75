"""The command `ssr`: what looks at results and uses them, beside `snakemake`, which makes them."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# What a subcommand needs is imported when it runs: it takes seconds, in which the user learns of a
# folder that is not there, or presses Ctrl-C.
from ssr.errors import InputError
from ssr.running.garbage import search_seldom
from ssr.running.places import enter, locate
from ssr.running.programs import plain_endings, wait_passively
from ssr.version import __version__

# Of ssr.annotation.formats and ssr.export.masks.
_TOOLS = ("coco", "cvat", "fiftyone", "label_studio")
_STAGES = ("predictions", "pseudo_labels")
_DEMO = Path("results/demo")


def main() -> None:
    """Run the subcommand that the command line names."""
    search_seldom()
    wait_passively()
    with plain_endings():
        arguments = _parser().parse_args()
        status = arguments.run(arguments)
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ssr", description=__doc__)
    parser.add_argument("--version", action="version", version=f"ssr {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    compare = commands.add_parser("compare", help="methods of several runs side by side")
    doctor = commands.add_parser("doctor", help="is everything in a results folder sound?")
    export = commands.add_parser("export", help="what a run made, for other people's programs")
    bring = commands.add_parser("import", help="masks that were corrected, back in a data set")
    init = commands.add_parser("init", help="from a folder of photographs to its settings")
    inspect = commands.add_parser(
        "inspect", help="look at images and what every stage made of them"
    )
    predict = commands.add_parser("predict", help="use a trained segmenter on any images")
    status = commands.add_parser("status", help="how far has each stage come?")
    _add_arguments_of_compare(compare)
    _add_arguments_of_export(export)
    _add_arguments_of_import(bring)
    _add_arguments_of_init(init)
    _add_arguments_of_inspect(inspect)
    _add_arguments_of_predict(predict)
    for command, run in ((doctor, _doctor), (status, _status)):
        command.set_defaults(run=run)
        command.add_argument(
            "results",
            nargs="?",
            type=Path,
            default=_DEMO,
            help="folder of the run, wherever it lies (default: %(default)s)",
        )
        command.add_argument(
            "--configfile",
            nargs="+",
            action="extend",
            default=[],
            help="those with which snakemake is called",
        )
    return parser


def _add_arguments_of_compare(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_compare)
    parser.add_argument("results", nargs="+", type=Path, help="folders of runs")
    parser.add_argument("--stage", help="such as pseudo_label (default: the last of all runs)")
    parser.add_argument("--out", type=Path, help="folder for the table and a chart as files")


def _add_arguments_of_export(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_export)
    parser.add_argument(
        "results", type=Path, help="folder of a run; with --masks, or of ssr predict's --out"
    )
    parser.add_argument("--method", help="of the run (default: the first that has what is wanted)")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--onnx", type=_path, metavar="FILE", help="the segmenter as one file")
    wanted.add_argument(
        "--mmsegmentation",
        type=_path,
        metavar="FOLDER",
        help="the segmenter as a config and a checkpoint that mmsegmentation opens",
    )
    wanted.add_argument("--masks", choices=_TOOLS, help="masks for a tool in which to correct them")
    parser.add_argument("--out", type=_path, metavar="FOLDER", help="of the masks")
    parser.add_argument(
        "--stage", choices=_STAGES, help="whose masks, of a run (default: predictions)"
    )


def _add_arguments_of_import(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_import)
    parser.description = (
        "Writes the masks as index PNGs below the data set: all of them, or none if one does not "
        "fit. Masks that are there are kept."
    )
    parser.add_argument(
        "export", type=_path, help="a JSON of COCO or Label Studio, CVAT's zip, FiftyOne's folder"
    )
    parser.add_argument("settings", type=_path, help="of the data set, as ssr init wrote them")
    parser.add_argument(
        "--replace", action="store_true", help="put other masks of the same images aside"
    )


def _add_arguments_of_init(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_init)
    parser.description = (
        "Writes labels.csv, if it is missing, and a commented file of settings, checks both, and "
        "prints the next command. Nothing that is there is changed."
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=_path,
        help="images/ and labels.csv; folders named after classes; or an export of COCO, VOC, "
        "CVAT, Label Studio or FiftyOne",
    )
    parser.add_argument(
        "--out", type=_path, metavar="FILE", help="the settings (default: {folder}.yaml, here)"
    )
    parser.add_argument(
        "--check", type=_path, metavar="FILE", help="check settings after an edit; write nothing"
    )


def _add_arguments_of_inspect(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_inspect)
    parser.add_argument(
        "results",
        nargs="*",
        type=Path,
        default=[_DEMO],
        help=f"folders of runs, wherever they lie (default: {_DEMO})",
    )
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")


def _add_arguments_of_predict(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_predict)
    parser.add_argument("results", type=Path, help="folder of the run, wherever it lies")
    parser.add_argument("images", nargs="+", type=_path, help="images, or folders that hold some")
    parser.add_argument("--out", type=Path, required=True, help="folder of the predictions")
    parser.add_argument("--method", help="whose segmenter (default: the first that has one)")
    parser.add_argument("--overlay", action="store_true", help="draw labels on images, too")
    parser.add_argument("--crf", action="store_true", help="refine with the run's dense CRF")
    parser.add_argument("--scales", nargs="+", type=float, help="in place of prediction.scales")
    parser.add_argument(
        "--tiles",
        type=int,
        metavar="PIXELS",
        help="cut up images with a longer side (default: the run's prediction.max_side scales "
        "them down; where that is null, tiles are as large as memory bears)",
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")


def _path(text: str) -> Path:
    """A path that was named: an empty text would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("a name is empty")
    return Path(text)


def _compare(arguments: argparse.Namespace) -> int:
    arguments.results = [locate(results) for results in arguments.results]
    from ssr.compare import command

    return command.main(arguments)


def _doctor(arguments: argparse.Namespace) -> int:
    _go_where_snakemake_ran(arguments)
    from ssr.doctor import diagnosis

    return diagnosis.main(arguments)


def _status(arguments: argparse.Namespace) -> int:
    _go_where_snakemake_ran(arguments)
    from ssr.doctor import status

    return status.main(arguments)


def _export(arguments: argparse.Namespace) -> int:
    if bool(arguments.masks) != bool(arguments.out) or (arguments.stage and not arguments.masks):
        raise InputError("ssr export RESULTS --masks TOOL --out FOLDER [--stage STAGE]")
    arguments.results = locate(arguments.results)
    from ssr.export import command

    return command.main(arguments)


def _import(arguments: argparse.Namespace) -> int:
    for path in (arguments.export, arguments.settings):
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
    from ssr.init import corrected

    return corrected.main(arguments)


def _init(arguments: argparse.Namespace) -> int:
    if (arguments.folder is None) == (arguments.check is None) or (
        arguments.check and arguments.out
    ):
        raise InputError("ssr init FOLDER [--out FILE], or ssr init --check FILE")
    if arguments.folder and not arguments.folder.is_dir():
        raise InputError(f"{arguments.folder}: no such folder")
    if arguments.check and not arguments.check.is_file():
        raise InputError(f"{arguments.check}: no such file")
    from ssr.init import command

    return command.main(arguments)


def _inspect(arguments: argparse.Namespace) -> int:
    arguments.results = list(dict.fromkeys(locate(results) for results in arguments.results))
    from ssr.inspect import command

    return command.main(arguments)


def _predict(arguments: argparse.Namespace) -> int:
    arguments.results = locate(arguments.results)
    from ssr.predict import command

    return command.main(arguments)


def _go_where_snakemake_ran(arguments: argparse.Namespace) -> None:
    """Change the folder, and make the paths among the arguments relative to it."""
    for file in map(Path, arguments.configfile):
        if file.is_dir():
            raise InputError(f"--configfile {file}: is a folder; name that of results before")
        if not file.is_file():
            raise InputError(f"--configfile {file}: no such file")
    files = [os.path.abspath(file) for file in arguments.configfile]
    start = os.getcwd()
    arguments.results = enter(arguments.results)
    arguments.configfile = [os.path.relpath(file) for file in files]
    if os.getcwd() != start:
        print(f"in {os.getcwd()}:")


if __name__ == "__main__":
    main()
