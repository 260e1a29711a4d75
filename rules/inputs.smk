# Input functions, where a list of files takes more than a name; in the order of the data.
from ssr.data import coco
from ssr.data.foreign import list_files
from ssr.data.originals import INDEX, MASKS, kept_states
from ssr.running.contents import state_of

# How the methods make patches of images: what is a single one in any has no labels in the index.
IMAGES_OF_METHODS = list(
    dict.fromkeys(resolved(name).images.canonical() for name in METHODS)
)
# What stands for the files of a data set: as inputs of rules they would be too many, or so large that
# their dates alone count.
STATES = kept_states(
    CONFIG.data,
    ids_of_splits,
    RESULTS,
    starts=workflow.is_main_process,
    others={
        INDEX: [*IMAGES_OF_METHODS, code_hash("workflow_scripts.index_dataset")],
        MASKS: [code_hash("workflow_scripts.index_masks")],
    },
)
# Whether there are states of parts of the data set.
TOLD_APART = "train" in STATES
# There may be millions, and hardly any rule asks for them.
ids_of_splits.cache_clear()
# The demo's own settings say which images it has; they are of no meaning to another data set.
INDEXED = CONFIG.data.canonical(
    without=() if CONFIG.data.format == "demo" else ("demo",)
)


def table(path):
    """An index, or the table of masks, as an input.

    Where there are states of parts of a data set, its date does not count: each job has the state of
    its part as a parameter, or else would be done anew for an image that is none of its own.
    """
    return ancient(result(path)) if TOLD_APART else result(path)


def images_of(split):
    """A params function: what stands for what the index says of a split.

    A name, or a wildcard in braces: of a split, or of a shard, for which its split may stand.
    """

    def found(wildcards):
        name = split.format(**wildcards)
        return STATES.get(name) or STATES[name.rpartition("_")[0]]

    return found if TOLD_APART else lambda _: ""


def masks_of(split):
    """A params function: what stands for the masks of a split; a name, or a wildcard in braces."""
    if not TOLD_APART:
        return lambda _: ""
    return lambda wildcards: STATES[f"masks of {split.format(**wildcards)}"]


def instances_file(wildcards):
    """The file that describes a folder of COCO's images."""
    return ancient(str(coco.instances_file(CONFIG.data, wildcards.folder)))


def derived(path, folders):
    """`path` of each of COCO's folders from whose instances files something is derived."""
    is_coco = CONFIG.data.format == "coco"
    return [result(path(name)) for name in folders(CONFIG.data)] if is_coco else []


def state_of_derived(path):
    """A params function: what stands for the instances file behind `path` of a folder."""
    return lambda wildcards: STATES.get(path(wildcards.folder), "")


DERIVED_LABELS = derived(coco.derived_labels, coco.labelled_folders)
DERIVED_MASKS = derived(coco.derived_masks, coco.masked_folders)


def ids_of_shard(shard):
    """The ids of its images."""
    split, _, number = shard.rpartition("_")
    size = CONFIG.data.shard_size
    return ids_of_splits()[split][int(number) * size :][:size]


def foreign_of(method):
    """Where the files are that another system made for the method, and in which form."""
    own = resolved(method)
    return CONFIG.foreign[own.prediction.foreign or own.cams.foreign]


def foreign_source(wildcards):
    """The same as canonical JSON."""
    return foreign_of(wildcards.method).canonical()


def foreign_state(wildcards):
    """What stands for those files of a shard.

    Not kept for the jobs of a run: there may be too many shards for their environment.
    """
    source = foreign_of(wildcards.method)
    ids = ids_of_shard(wildcards.shard)
    folder = IMPORTED if source.format == "predictions" else FOLDERS["initial_cam"]
    made = store_in(folder).format(**wildcards)
    return state_of(made, *list_files(source, CONFIG.data.classes, ids))


def logits_of_teacher(wildcards):
    """What the segmenter of the method's teacher says of the shard."""
    name = owner_of(teacher(CONFIG, wildcards.method), "prediction")
    return expand(store("prediction"), shard=wildcards.shard, method=name)


def model_of(network):
    """A params function: the model of clip or dino, a name or a JSON file."""
    return lambda wildcards: getattr(
        resolved(wildcards.method).backbones, network
    ).model


def trained_with(network):
    """A params function: the settings that the training of clip or dino uses."""
    return lambda wildcards: resolved(wildcards.method).pretraining.of(network)


# The text embeddings of the method.
embeddings = made("text/{method}/embeddings.npz", "text")


def all_rounds(method):
    """The heads of every round."""
    rounds = range(1, resolved(method).alignment.rounds + 1)
    folder = result(f"alignment/{owner_of(method, 'heads')}")
    return [f"{folder}/{number}.safetensors" for number in rounds]


def used_heads(method):
    """The heads behind the aligned CAMs: chosen on tune, or those after the last round."""
    if resolved(method).alignment.stop == "tune":
        return result(f"alignment/{owner_of(method, 'aligned_cam')}/chosen.safetensors")
    return all_rounds(method)[-1]


def training_of_heads(wildcards):
    """The settings that a round uses: with looks only where a method chooses among its heads."""
    sharing = [name for name in METHODS if owner_of(name, "heads") == wildcards.method]
    chosen = any(resolved(name).alignment.stop == "tune" for name in sharing)
    alignment = resolved(wildcards.method).alignment
    used = alignment.model_copy(update={"stop": "tune" if chosen else "last"})
    return used.canonical(
        without=("enabled", "rounds", *(() if chosen else ("looks",)))
    )


def previous_alignment(wildcards):
    """The heads of the round before; none before the first."""
    before = int(wildcards.round) - 1
    return (
        result(f"alignment/{wildcards.method}/{before}.safetensors") if before else []
    )


def samples(wildcards):
    """The samples of CMPA, of every shard of train."""
    owner = owner_of(wildcards.method, "samples")
    return expand(
        result("samples/{method}/{shard}.npz"), shard=SHARDS["train"], method=owner
    )


def samples_of_method(wildcards):
    """The same in one file, with the prototypes from which the method's heads start."""
    return result(f"prototypes/{owner_of(wildcards.method, 'heads')}/1.npz")


def pools_after(method):
    """Whether every round pools patches behind what it trains, not the first for all."""
    return resolved(method).prototypes.pooling == "after"


def of_patches(found):
    """`found`, of the wildcards, but nothing where the method learns from pooled samples."""
    return lambda wildcards: (
        found(wildcards) if resolved(wildcards.method).aligns_patches else []
    )


def of_pooling(found):
    """`found`, of the wildcards, but nothing where the alignment itself pools nothing."""
    return lambda wildcards: found(wildcards) if pools_after(wildcards.method) else []


def cams_of_method(wildcards):
    """Aligned CAMs, or the initial ones where the method has no alignment."""
    aligned = resolved(wildcards.method).alignment.enabled
    return stored("aligned_cam" if aligned else "initial_cam")(wildcards)


def segmenter_file(wildcards):
    """The mmsegmentation config of the method, where it is a local file."""
    return resolved(wildcards.method).segmenter.config_file or []


def segmenter_text(wildcards):
    """The text embeddings, where they are part of the method's segmenter."""
    reads = resolved(wildcards.method).segmenter.reads_text
    return embeddings(wildcards) if reads else []


def chosen_threshold(wildcards):
    """The evaluation that chose the threshold of the pseudo-labels; none if it is a setting."""
    if resolved(wildcards.method).labels.threshold is not None:
        return []
    method = owner_of(wildcards.method, "refined_cam")
    return result(f"evaluation/refined_cam/{method}/tune.json")


def pseudo_labels(methods):
    """The pseudo-labels of `methods` that a segmenter learns from."""
    stores = [shards("pseudo_label", ["train"], method) for method in methods]
    return list(dict.fromkeys(path for paths in stores for path in paths))


def predicting_methods():
    """The methods under whose names predictions lie."""
    methods = CONFIG.segmenter_methods
    return list(dict.fromkeys(owner_of(method, "prediction_crf") for method in methods))


def predictions():
    """Every prediction that is asked for."""
    return [
        path
        for method in predicting_methods()
        for path in shards(
            "prediction_crf",
            sorted(splits_of(CONFIG, method, "prediction_crf")),
            method,
        )
    ]


def submissions():
    """The archives of predictions of the test split."""
    methods = predicting_methods() if SHARDS["test"] else []
    return expand(result("submission/{method}.tar.gz"), method=methods)


SHOWN = {
    stage: SHARDS[reported_split(CONFIG, stage)][:1]
    for stage in ("initial_cam", "prediction")
}


def shown(stage):
    """The stores shown of a stage of the first method; nothing if it has none."""
    if stage in STAGES and stage not in scored_stages(MAIN_METHOD):
        return []
    shards_of = SHOWN["prediction" if stage.startswith("prediction") else "initial_cam"]
    return expand(store(stage), shard=shards_of, method=owner_of(MAIN_METHOD, stage))


def shown_foreign(stage):
    """`method=path` → path of the stores shown of what other systems made, each once."""
    made = PREDICTED_ELSEWHERE if stage == "prediction" else FOREIGN
    owners = dict.fromkeys(owner_of(method, stage) for method in made)
    return {
        f"{name}={path}": path
        for name in owners
        if name != owner_of(MAIN_METHOD, stage)
        for path in expand(
            store_in(folder_of(CONFIG, name, stage)), shard=SHOWN[stage], method=name
        )
    }


def shown_alignment():
    """The last prototypes of the first method and the heads that it uses; nothing without heads."""
    alignment = resolved(MAIN_METHOD).alignment
    if not alignment.enabled or alignment.trains != "heads":
        return [], []
    folder = result(f"prototypes/{owner_of(MAIN_METHOD, 'heads')}")
    return f"{folder}/{alignment.rounds}.npz", used_heads(MAIN_METHOD)


def image_counts(evaluations):
    """The counts of each image that lie beside `evaluations`."""
    paths = dict.fromkeys(evaluations)
    return [f"{path.removesuffix('.json')}.images.parquet" for path in paths]


def sweeps():
    """`method/seed=path` → path of every evaluation that chose a threshold, of first seeds."""
    return {
        f"{method}/{resolved(method).seed}={path}": path
        for method in rows_of_methods(CONFIG)
        for stage in scored_stages(method)
        if EVALUATED and stage.endswith("_cam")
        for path in [result(f"evaluation/{stage}/{owner_of(method, stage)}/tune.json")]
    }
