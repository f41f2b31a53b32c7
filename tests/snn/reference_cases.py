"""What the scripts share that run networks elsewhere; for Lava's own Python 3.10, without spikebridge."""


def run_all(folder, suffix, run):
    """``run`` for each FOLDER/<case>.net without a FOLDER/<case><suffix>; says what became of it."""
    for path in sorted(folder.glob("*.net")):
        case = path.with_suffix("")
        if case.with_suffix(suffix).exists():
            continue
        try:
            run(case)
        except Exception as error:  # noqa: BLE001 - the caller decides, and wants the other cases
            print("failed", case.name, type(error).__name__, str(error).replace("\n", " "), flush=True)
        else:
            print("done", case.name, flush=True)
