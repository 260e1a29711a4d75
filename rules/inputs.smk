# Input functions, where a list of files takes more than a name; in the order of the data.


def last_alignment(method):
    """The heads after the last round."""
    rounds = resolved(method).alignment.rounds
    return result(f"alignment/{owner_of(method, HEADS)}/{rounds}.safetensors")


def previous_alignment(wildcards):
    """The heads of the round before; none before the first."""
    before = int(wildcards.round) - 1
    return (
        result(f"alignment/{wildcards.method}/{before}.safetensors") if before else []
    )


def in_first_round(stores):
    """`stores`, but nothing in later rounds: they take the pooled samples from the first."""
    return lambda wildcards: stores if wildcards.round == "1" else []


def first_prototypes(wildcards):
    """Where later rounds find the samples."""
    later = wildcards.round != "1"
    return result(f"prototypes/{wildcards.method}/1.npz") if later else []


def cams_of_method(wildcards):
    """Aligned CAMs, or the initial ones where the method has no alignment."""
    if not resolved(wildcards.method).alignment.enabled:
        return result("cams/initial/{shard}.zarr.zip")
    return result(
        f"cams/aligned/{owner_of(wildcards.method, ALIGNED)}/{{shard}}.zarr.zip"
    )


def segmenter_file(wildcards):
    """The mmsegmentation config of the method, where it is a local file."""
    path = resolved(wildcards.method).segmenter.config
    return path if path and path.endswith(".py") else []


def cams_of_stage(wildcards, split):
    """The CAMs of a stage for all shards of a split."""
    folder = wildcards.cam_stage.removesuffix("_cam")
    path = (
        "cams/initial" if folder == "initial" else f"cams/{folder}/{wildcards.method}"
    )
    return shards(f"{path}/{{shard}}.zarr.zip", [split])


SHOWN = {
    stage: SHARDS[reported_split(stage)][:1] for stage in ("initial_cam", "prediction")
}


def shown(stage, path):
    """`path` for the shards shown of a stage of the first method; nothing if it has none."""
    if stage not in stages_of(MAIN_METHOD):
        return []
    shards_of = SHOWN["prediction" if stage.startswith("prediction") else "initial_cam"]
    return expand(
        result(path), shard=shards_of, method=owner_of(MAIN_METHOD, STAGES[stage])
    )


def sweeps():
    """`method=path` → path of every evaluation that chose a threshold."""
    return {
        f"{method}={path}": path
        for method in METHODS
        for stage in stages_of(method)
        if stage.endswith("_cam")
        for path in [
            result(f"evaluation/{stage}/{owner_of(method, STAGES[stage])}/tune.json")
        ]
    }
