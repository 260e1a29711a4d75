"""Every number of the two pretrainings: the demo's are the defaults, stand-ins have settings."""

from dataclasses import dataclass

from ssr.config import Pretraining


@dataclass(frozen=True)
class ClipRecipe:
    """Counts and rates of the CLIP pretraining: crops come first, whole scenes last.

    Attention sees only some of the patches, which doubles the speed; on crops, from `focus_start`
    on, those of objects are kept first. From `value_start` on, strokes are also read from the last
    block's values alone: with average pooling the residual stream could bypass them, and Grad-CAM
    would find nothing. From `bare_start` on, the last block has no MLP, for the same reason.
    `last_step` ends the run before its schedule does. `rate` is AdamW's, `matrix_rate` Muon's.
    """

    crop_steps: int = 1500
    scene_steps: int = 2100
    crop: int = 64
    kept_patches: int = 32
    kept_scene_patches: int = 98
    focus_start: int = 900
    crop_batch: int = 96
    scene_batch: int = 40
    rate: float = 1e-3
    matrix_rate: float = 2e-3
    weight_decay: float = 0.05
    strokes: int = 8
    stroke_patches: int = 6
    stroke_weight: float = 1.0
    early_stroke_weight: float = 0.5
    value_stroke_weight: float = 1.0
    value_start: int = 1400
    bare_start: int = 2700
    last_step: int = 2950
    position_scale: float = 0.2
    maximal_scale: float = 50.0
    save_every: int = 100
    seed: int = 0

    @property
    def steps(self) -> int:
        """All steps of both phases."""
        return self.crop_steps + self.scene_steps


@dataclass(frozen=True)
class DinoRecipe:
    """Counts and rates of the DINO pretraining; crops come first, large views last.

    Grouping starts once tokens mean something; without it the last block's attention drifts away
    from being an affinity.
    """

    crop_steps: int = 1550
    scene_steps: int = 100
    crop: int = 64
    crop_batch: int = 64
    scene_batch: int = 20
    rate: float = 1e-3
    weight_decay: float = 0.05
    prototypes: int = 256
    teacher_temperature: float = 0.03
    student_temperature: float = 0.1
    first_momentum: float = 0.98
    segment_weight: float = 1.0
    grouping_weight: float = 2.0
    grouping_start: int = 800
    jitter: float = 0.35
    position_scale: float = 0.3
    save_every: int = 100
    seed: int = 0

    @property
    def steps(self) -> int:
        """All steps of both phases."""
        return self.crop_steps + self.scene_steps


@dataclass(frozen=True)
class ViewRecipe:
    """How views of photographs are cut.

    Windows have a side of `smallest` to 1 of the image's shorter side and become `size` pixels.
    What the model is told of a view's place is wrong by `position_noise` of the image (standard
    deviation), so that it looks rather than remembers where objects usually are.
    """

    size: int
    patch: int
    batch: int
    smallest: float
    position_noise: float = 0.15
    jitter: float = 0.4

    @property
    def grid(self) -> int:
        """Patches along a side of a view."""
        return self.size // self.patch


def standin_clip_recipe(settings: Pretraining, seed: int) -> ClipRecipe:
    """One phase only; what the demo's CLIP changes on its way changes at the same shares of it."""
    steps = settings.clip_steps
    return ClipRecipe(
        crop_steps=steps,
        scene_steps=0,
        rate=settings.learning_rate,
        matrix_rate=2 * settings.learning_rate,
        value_start=round(0.45 * steps),
        bare_start=round(0.9 * steps),
        last_step=steps,
        save_every=settings.checkpoint_every,
        seed=seed,
    )


def standin_dino_recipe(settings: Pretraining, seed: int) -> DinoRecipe:
    """One phase only; grouping starts half-way."""
    steps = settings.dino_steps
    return DinoRecipe(
        crop_steps=steps,
        scene_steps=0,
        rate=settings.learning_rate,
        grouping_start=steps // 2,
        save_every=settings.checkpoint_every,
        seed=seed,
    )


def standin_views(settings: Pretraining, patch: int) -> ViewRecipe:
    """Views in whole patches of `patch` pixels."""
    return ViewRecipe(
        size=max(1, round(settings.view / patch)) * patch,
        patch=patch,
        batch=settings.batch_size,
        smallest=settings.smallest_window,
    )
