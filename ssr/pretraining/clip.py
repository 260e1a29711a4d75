"""A small CLIP: image-caption contrast, and strokes that pair regions with names.

The strokes follow Localized Narratives: a name is spoken while a few patches that show it are
touched. Procedural scenes know them; of photographs they are guessed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn

from ssr.backbones.networks import load_clip, load_tokenizer, normalise_pixels
from ssr.backbones.text import check_length
from ssr.data.images import CLIP_MEAN, CLIP_STD
from ssr.pretraining.captions import occurring_tokens
from ssr.pretraining.lessons import Chance, ClipLessons
from ssr.pretraining.loop import Trainer, make_muon
from ssr.pretraining.mimetic import fresh, initialise_attention
from ssr.pretraining.positions import fix_positions, read_positions
from ssr.pretraining.recipes import ClipRecipe
from ssr.pretraining.strokes import draw_strokes

PURPOSE = 1  # of the randomness of a step; DINO has another one


class Vocabulary:
    """CLIP's tokenizer with ids that count only the tokens of some sentences, from 0."""

    def __init__(self, tokenizer: SimpleTokenizer, sentences: Sequence[str]) -> None:
        """An InputError refuses a sentence that is too long for the model."""
        check_length(tokenizer, sentences)
        self.tokenizer = tokenizer
        self.identifiers = occurring_tokens(tokenizer, sentences)
        self._compact = torch.full((tokenizer.vocab_size,), -1)
        self._compact[self.identifiers] = torch.arange(len(self.identifiers))

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Compact ids (n, length) of texts."""
        return self._compact[self.tokenizer(list(texts))]


def build_clip(name: str, vocabulary: Vocabulary, recipe: ClipRecipe) -> CLIP:
    """A fresh CLIP with a compact vocabulary, fixed sine-cosine positions and mimetic attention.

    Raises:
        InputError: the model is unknown, or no plain vision transformer on a square grid.
    """
    model = load_clip(fresh(name), "cpu").requires_grad_(True).train()
    generator = torch.Generator().manual_seed(recipe.seed)
    width = model.token_embedding.embedding_dim
    model.token_embedding = nn.Embedding(len(vocabulary.identifiers), width)
    nn.init.normal_(model.token_embedding.weight, std=0.02, generator=generator)
    visual = model.visual
    visual.positional_embedding.requires_grad_(False)
    fix_positions(visual.positional_embedding, visual.grid_size, recipe.position_scale)
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


def patch_tokens(
    model: CLIP, inputs: Tensor, places: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens of the kept patches, each (B, k, width) behind ln_post.

    First what enters the last block, second what its values alone say, last the block's output.
    inputs (B, 3, s, s); places (B or 1, n, 2) as shares of the image; kept (B, k) indices of
    patches: attention sees no other ones.
    """
    visual = model.visual
    table = visual.positional_embedding
    patches = visual.conv1(inputs).flatten(2).mT + read_positions(table[1:], places)
    patches = patches.gather(1, kept[..., None].expand(-1, -1, patches.shape[-1]))
    first = (visual.class_embedding + table[0]).expand(len(patches), 1, -1)
    tokens = visual.ln_pre(torch.cat([first, patches], 1))
    *early, last = visual.transformer.resblocks
    for block in early:
        tokens = block(tokens)
    weight, bias = (part.chunk(3)[2] for part in (last.attn.in_proj_weight, last.attn.in_proj_bias))
    values = last.attn.out_proj(F.linear(last.ln_1(tokens), weight, bias))
    entering, alone, out = (visual.ln_post(t)[:, 1:] for t in (tokens, values, last(tokens)))
    return entering, alone, out


def encode_captions(model: CLIP, texts: Tensor) -> Tensor:
    """As model.encode_text on (B, length) compact ids, without computing the padding."""
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

    def __init__(
        self, model: CLIP, vocabulary: Vocabulary, lessons: ClipLessons, recipe: ClipRecipe
    ) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.lessons = lessons
        self.recipe = recipe

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Named losses of one step; "loss" is the sum to minimise."""
        recipe, model = self.recipe, self.model
        device = model.logit_scale.device
        chance = Chance.of(recipe.seed, PURPOSE, step)
        lesson = self.lessons.draw(step, chance)
        inputs = normalise_pixels(lesson.pixels, CLIP_MEAN, CLIP_STD).to(device)
        entering, values, out = patch_tokens(model, inputs, lesson.places, lesson.kept.to(device))
        texts = self.vocabulary([*lesson.captions, *lesson.prompts]).to(device)
        captions, prompts = encode_captions(model, texts).split(
            [len(lesson.captions), len(lesson.prompts)]
        )
        scale = model.logit_scale.exp().clamp(max=recipe.maximal_scale)
        images = project(model, out.mean(1))
        contrast = multi_positive_loss(scale * images @ captions.T, lesson.matches.to(device))
        with torch.no_grad():
            judged = (scale * project(model, out) @ prompts.T).cpu()
        names = lesson.name_patches(judged)
        weights, targets = draw_strokes(
            names, len(prompts), recipe.strokes, recipe.stroke_patches, chance.torch
        )

        def name_loss(tokens: Tensor) -> Tensor:
            logits = scale * project(model, weights.to(device) @ tokens) @ prompts.T
            wanted = targets.flatten().to(device)
            return F.cross_entropy(logits.flatten(0, 1), wanted, ignore_index=-1)

        losses = {
            "contrast": contrast,
            "stroke": name_loss(out),
            "early_stroke": name_loss(entering),
            "value_stroke": name_loss(values),
        }
        return {"loss": self._sum(losses, step), **losses}

    def _sum(self, losses: dict[str, Tensor], step: int) -> Tensor:
        recipe = self.recipe
        loss = losses["contrast"] + recipe.stroke_weight * losses["stroke"]
        if step < recipe.value_start:
            return loss + recipe.early_stroke_weight * losses["early_stroke"]
        return loss + recipe.value_stroke_weight * losses["value_stroke"]


@torch.no_grad()
def silence_last_mlp(model: CLIP) -> None:
    """Zero the last block's MLP: its Jacobian turns Grad-CAM's weights away from the classes."""
    output = model.visual.transformer.resblocks[-1].mlp.c_proj
    output.weight.zero_()
    output.bias.zero_()


class ClipTraining:
    """A training of CLIP: the model, its vocabulary, and the steps to come as an iterator."""

    def __init__(
        self,
        model: str,
        lessons: ClipLessons,
        recipe: ClipRecipe,
        device: torch.device | str = "cpu",
    ) -> None:
        """`model` is a name of the library or the path of a JSON file."""
        self.recipe = recipe
        self.vocabulary = Vocabulary(load_tokenizer(fresh(model)), lessons.sentences)
        self.model = build_clip(model, self.vocabulary, recipe).to(device)
        self.losses = ClipLosses(self.model, self.vocabulary, lessons, recipe)

    def run(self, work: Path, stop_at: int | None = None) -> Iterator[int]:
        """Train from the newest checkpoint in `work` to the last step; yields the steps done."""
        recipe = self.recipe
        rates = recipe.rate, recipe.matrix_rate
        optimizers = make_muon(self.model, "resblocks", *rates, recipe.weight_decay)
        trainer = Trainer(
            {"clip": self.model},
            optimizers,
            work,
            recipe.steps,
            warm_up=60,
            save_every=recipe.save_every,
        )

        def after_step(step: int) -> None:
            if step >= recipe.bare_start:
                silence_last_mlp(self.model)

        after_step(trainer.step)
        yield from trainer.run(
            self.losses, after_step, recipe.last_step if stop_at is None else stop_at
        )
        self.model.eval()
