"""A small CLIP: image-caption contrast, and strokes that pair regions with names.

The strokes follow Localized Narratives: a name is spoken while a few patches that show it are
touched.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from open_clip.model import CLIP
from torch import Tensor

from ssr.demo.vocabulary import CLASSES, STUFF
from ssr.pretraining.captions import (
    CONTEXT_LENGTH,
    caption,
    make_tokenizer,
    name_prompt,
    occurring_tokens,
)
from ssr.pretraining.corpus import Corpus
from ssr.pretraining.loop import Trainer, make_muon
from ssr.pretraining.mimetic import initialise_attention
from ssr.pretraining.strokes import draw_strokes, visible_names
from ssr.pretraining.views import (
    NAMES,
    Views,
    brightness,
    object_centres,
    patch_names,
    patch_shares,
    sample_views,
    sine_cosine_positions,
    window_positions,
)

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
FULL_VOCABULARY = 49408


@dataclass(frozen=True)
class ClipRecipe:
    """Sizes and counts of the CLIP pretraining: crops come first, whole scenes last.

    Attention sees only some of the patches, which doubles the speed; on crops, from `focus_start`
    on, those of objects are kept first. From `value_start` on, strokes are also read from the last
    block's values alone: with average pooling the residual stream could bypass them, and Grad-CAM
    would find nothing. From `bare_start` on, the last block has no MLP, for the same reason.
    `last_step` ends the run before its schedule does. `rate` is AdamW's, `matrix_rate` Muon's.
    """

    width: int = 128
    layers: int = 6
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
    seed: int = 0

    @property
    def steps(self) -> int:
        """All steps of both phases."""
        return self.crop_steps + self.scene_steps


def model_config(recipe: ClipRecipe, vocabulary: int = FULL_VOCABULARY) -> dict[str, object]:
    """The open_clip model configuration of a recipe."""
    vision = {
        "image_size": 112,
        "layers": recipe.layers,
        "width": recipe.width,
        "head_width": 32,
        "patch_size": 8,
        "pool_type": "avg",
    }
    text = {
        "context_length": CONTEXT_LENGTH,
        "vocab_size": vocabulary,
        "width": 128,
        "heads": 4,
        "layers": 2,
    }
    return {"embed_dim": 128, "quick_gelu": True, "vision_cfg": vision, "text_cfg": text}


def build_clip(recipe: ClipRecipe, vocabulary: int) -> CLIP:
    """A fresh CLIP: fixed sine-cosine positions, mimetic attention."""
    generator = torch.Generator().manual_seed(recipe.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = CLIP(**model_config(recipe, vocabulary))
    visual = model.visual
    visual.positional_embedding.requires_grad_(False)
    visual.positional_embedding[0] = 0
    positions = sine_cosine_positions(recipe.width, 14) * recipe.position_scale
    visual.positional_embedding[1:] = positions
    last = len(visual.transformer.resblocks) - 1
    for index, block in enumerate(visual.transformer.resblocks):
        attention = block.attn
        initialise_attention(
            attention.in_proj_weight.data,
            attention.out_proj.weight.data,
            attention.num_heads,
            generator,
            value_sign=1.0 if index == last else -1.0,
        )
    return model


def normalise_pixels(pixels: Tensor) -> Tensor:
    """Pixels in 0..1 to CLIP's input range."""
    return (pixels - MEAN) / DEVIATION


def patch_tokens(
    model: CLIP, inputs: Tensor, corner: tuple[int, int], kept: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens of the kept patches, each (B, k, width) behind ln_post.

    First what enters the last block, second what its values alone say, last the block's output.
    inputs (B, 3, s, s); kept (B, k) indices of patches: attention sees no other ones.
    """
    visual = model.visual
    positions = window_positions(visual.positional_embedding, inputs.shape[-1] // 8, corner)
    patches = visual.conv1(inputs).flatten(2).transpose(1, 2) + positions[1:]
    patches = patches.gather(1, kept[..., None].expand(-1, -1, patches.shape[-1]))
    first = (visual.class_embedding + positions[0]).expand(len(patches), 1, -1)
    tokens = visual.ln_pre(torch.cat([first, patches], 1))
    *early, last = visual.transformer.resblocks
    for block in early:
        tokens = block(tokens)
    weight, bias = (part.chunk(3)[2] for part in (last.attn.in_proj_weight, last.attn.in_proj_bias))
    values = last.attn.out_proj(F.linear(last.ln_1(tokens), weight, bias))
    early, alone, out = (visual.ln_post(t)[:, 1:] for t in (tokens, values, last(tokens)))
    return early, alone, out


def encode_captions(model: CLIP, texts: Tensor) -> Tensor:
    """As model.encode_text on (B, 32) compact ids, without computing the padding."""
    ends = texts.argmax(1)
    length = int(ends.max()) + 1
    tokens = model.token_embedding(texts[:, :length]) + model.positional_embedding[:length]
    tokens = model.transformer(tokens, attn_mask=model.attn_mask[:length, :length])
    ended = model.ln_final(tokens)[torch.arange(len(texts)), ends]
    return F.normalize(ended @ model.text_projection, dim=-1)


def project(model: CLIP, tokens: Tensor) -> Tensor:
    """Normalised joint-space embeddings of (..., width) tokens, in float32."""
    return F.normalize(tokens @ model.visual.proj, dim=-1)


def multi_positive_loss(logits: Tensor, matches: Tensor) -> Tensor:
    """Symmetric contrast with every caption that is true of an image as its positive."""
    rows = matches / matches.sum(1, keepdim=True)
    columns = matches / matches.sum(0, keepdim=True)
    images = (rows * logits.log_softmax(1)).sum(1).mean()
    texts = (columns * logits.log_softmax(0)).sum(0).mean()
    return -(images + texts) / 2


class ClipLosses:
    """The losses of a step, as a function of the step's number alone."""

    def __init__(self, model: CLIP, corpus: Corpus, recipe: ClipRecipe) -> None:
        self.model = model
        self.corpus = corpus
        self.recipe = recipe
        self.tokenizer = make_tokenizer()
        self.identifiers = occurring_tokens(self.tokenizer)
        self.compact = torch.full((FULL_VOCABULARY,), -1)
        self.compact[self.identifiers] = torch.arange(len(self.identifiers))

    def _views(self, step: int, chance: np.random.Generator) -> tuple[Views, Tensor]:
        crops = step < self.recipe.crop_steps
        size, batch = (
            (self.recipe.crop, self.recipe.crop_batch) if crops else (112, self.recipe.scene_batch)
        )
        images, labels = self.corpus.rows(chance.integers(0, len(self.corpus), batch))
        centres = np.full((batch, 2), 55.5)
        if crops:
            centres = object_centres(labels, chance) + chance.integers(-12, 13, (batch, 2))
        flips = chance.random(batch) < 0.5
        views = sample_views(images, labels, centres, np.ones(batch), flips, size)
        return views, torch.from_numpy(labels).long()

    def _texts(
        self, visible: NDArray[np.bool_], chance: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        written, mentioned = [], []
        for row in visible:
            objects = [n for n, v in zip(CLASSES, row, strict=False) if v]
            places = [n for n, v in zip(STUFF, row[len(CLASSES) :], strict=True) if v]
            text, truth = caption(objects, places, chance)
            written.append(text)
            mentioned.append(truth)
        prompts = [name_prompt(name, chance) for name in NAMES]
        false = np.stack(mentioned)[None] & ~visible[:, None]
        matches = torch.from_numpy(~false.any(-1)).float()
        return self.compact[self.tokenizer(written + prompts)], matches

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Named losses of one step; "loss" is the sum to minimise."""
        recipe, model = self.recipe, self.model
        chance = np.random.default_rng([recipe.seed, 1, step])
        generator = torch.Generator().manual_seed(int(chance.integers(1 << 62)))
        views, whole = self._views(step, chance)
        visible = visible_names(views.labels, whole)
        texts, matches = self._texts(visible, chance)
        inputs = normalise_pixels(brightness(views.pixels, 0.2, generator))
        grid = inputs.shape[-1] // 8
        row, column = (int(v) for v in chance.integers(0, 15 - grid, 2))
        names = patch_names(patch_shares(views.labels))
        crops = step < recipe.crop_steps
        keep = recipe.kept_patches if crops else recipe.kept_scene_patches
        rank = torch.rand(names.shape, generator=generator)
        if crops and step >= recipe.focus_start:
            rank = rank - 0.5 * ((names >= 0) & (names < len(CLASSES)))
        kept = rank.argsort(1)[:, :keep]
        names = names.gather(1, kept)
        weights, targets = draw_strokes(names, recipe.strokes, recipe.stroke_patches, generator)
        early, values, tokens = patch_tokens(model, inputs, (row, column), kept)
        images = project(model, tokens.mean(1))
        strokes = project(model, weights @ tokens)
        early_strokes = project(model, weights @ early)
        value_strokes = project(model, weights @ values)
        embedded = encode_captions(model, texts)
        scale = model.logit_scale.exp().clamp(max=recipe.maximal_scale)
        captions, prompts = embedded[: len(images)], embedded[len(images) :]
        contrast = multi_positive_loss(scale * images @ captions.T, matches)

        def name_loss(regions: Tensor) -> Tensor:
            logits = scale * regions @ prompts.T
            return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)

        stroke, early_stroke = name_loss(strokes), name_loss(early_strokes)
        value_stroke = name_loss(value_strokes)
        loss = contrast + recipe.stroke_weight * stroke
        if step < recipe.value_start:
            loss = loss + recipe.early_stroke_weight * early_stroke
        else:
            loss = loss + recipe.value_stroke_weight * value_stroke
        return {
            "loss": loss,
            "contrast": contrast,
            "stroke": stroke,
            "early_stroke": early_stroke,
            "value_stroke": value_stroke,
        }


@torch.no_grad()
def silence_last_mlp(model: CLIP) -> None:
    """Zero the last block's MLP: its Jacobian turns Grad-CAM's weights away from the classes."""
    output = model.visual.transformer.resblocks[-1].mlp.c_proj
    output.weight.zero_()
    output.bias.zero_()


def train_clip(
    corpus: Corpus, recipe: ClipRecipe, work: Path, stop_at: int | None = None
) -> tuple[CLIP, list[int]]:
    """Train or resume; returns the model and the token ids of its compact vocabulary."""
    vocabulary = len(occurring_tokens(make_tokenizer()))
    model = build_clip(recipe, vocabulary)
    losses = ClipLosses(model, corpus, recipe)
    rates = recipe.rate, recipe.matrix_rate
    optimizers = make_muon(model, "resblocks", *rates, recipe.weight_decay)
    trainer = Trainer({"clip": model}, optimizers, work, recipe.steps, warm_up=60)

    def after_step(step: int) -> None:
        if step >= recipe.bare_start:
            silence_last_mlp(model)

    after_step(trainer.step)
    trainer.run(losses, after_step, recipe.last_step if stop_at is None else stop_at)
    return model.eval(), losses.identifiers
