"""Trains the demo encoder: `python -m indexer.demo.train [--steps N] [--out FOLDER] [--seed S]`.

Everything it learns from is drawn by this project. The same seed, steps and library versions give the same
weights. It takes two idle CPU cores about half an hour; beside other work, more.
"""
# ruff: noqa: S311 - chance is seeded on purpose: the same seed, the same pictures

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.nn import functional

from indexer.demo.encoder_files import ENCODER_FOLDER, build_model, model_config, write_encoder
from indexer.demo.lessons import ATTRIBUTES, Lesson, Truth, relation_index, write_lesson
from indexer.demo.model_card import write_card
from indexer.demo.pictures import drawn_pictures, is_plain_pair, sample_pair
from indexer.demo.tokenizer import PAD_ID, build_tokenizer
from indexer.demo.words import all_words
from indexer.demo.world import COLOURS, CONVERSE, PLACES, RELATIONS, THINGS, WEATHERS, Scene

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerFast

N_THREADS: Final = 2
_TERM_WEIGHTS: Final = {
    "full": 1.0,
    "picture": 1.0,
    "partial": 0.7,
    "relation": 1.5,
    "thing": 3.0,
    "colour": 1.0,
    "place": 0.5,
    "weather": 0.5,
    "count": 1.5,
    "shot size": 0.7,
}
"""The training loss and the weight of each term: most where learning is slowest."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Duration and amount of training; a pair is two pictures whose scenes differ in one point."""

    steps: int = 5600
    picture_steps: int = 2400
    seed: int = 7
    n_pairs: int = 24_000
    pairs_per_batch: int = 64
    n_related: int = 20
    picture_rate: float = 3e-3
    text_rate: float = 1.5e-3
    weight_decay: float = 0.05
    warmup_steps: int = 100
    plain_steps: int = 350
    n_processes: int = N_THREADS


def train_encoder(
    plan: TrainingPlan, config: dict[str, Any], keep: Callable[[torch.nn.Module], None] | None = None
) -> tuple[torch.nn.Module, list[float]]:
    """A trained model in evaluation mode, and its loss at every step; `keep` sees the model now and then."""
    torch.manual_seed(plan.seed)
    torch.use_deterministic_algorithms(True)
    # The layout of the weights in memory only matters for speed: twice as fast on CPUs.
    model = build_model(config).to(memory_format=torch.channels_last)
    tokenizer = build_tokenizer(config["text_cfg"]["context_length"])
    size_px = config["vision_cfg"]["image_size"]
    losses = []
    started = time.monotonic()
    with drawn_pictures(plan.n_pairs, size_px, plan.seed, plan.n_processes) as pictures:
        _report(f"{len(pictures)} pictures drawn in {time.monotonic() - started:.0f} s")
        heads = torch.nn.Linear(config["embed_dim"], sum(_head_sizes()))
        optimizer = _optimizer(model, heads, plan)
        model.train()
        weights = torch.tensor(list(_TERM_WEIGHTS.values()))
        terms: list[torch.Tensor] = []
        for step, rows in enumerate(_batches(plan)):
            rng = random.Random(f"lesson {plan.seed} {step}")
            scenes = [scene for row in rows for scene in sample_pair(plan.seed, row)]
            images = _image_tensor(pictures, rows, plan.seed * 1_000_003 + step)
            _set_learning_rate(optimizer, plan, step)
            seen = model.encode_image(images)  # type: ignore[operator]
            loss = heads_loss(heads(seen), scenes)
            terms.append(torch.zeros(len(weights)))
            if step >= plan.picture_steps:
                terms[-1] = lesson_losses(model, tokenizer, seen, scenes, rng, plan.n_related)
                loss = loss + terms[-1] @ weights
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
            terms[-1] = terms[-1].detach()
            if step % 50 == 49:
                _report(f"step {step + 1}: loss {np.mean(losses[-50:]):.2f}")
                _report_terms(step + 1, torch.stack(terms).mean(dim=0), time.monotonic() - started)
                terms.clear()
            if keep is not None and step % 400 == 399:
                keep(model)
    return model.eval(), losses


def heads_loss(logits: torch.Tensor, scenes: Sequence[Scene]) -> torch.Tensor:
    """How far helper layers on the picture vectors, thrown away after training, are from naming every attribute.

    Naming teaches a fresh network shapes much sooner than ranking sentences does. For relations the helpers name
    the thing on each side ("what is on the left?"), since which of two things comes first is only in the sentence.
    """
    *parts, sides = torch.split(logits, _head_sizes(), dim=1)
    losses = [
        _TERM_WEIGHTS[attribute.name] * _ranking_loss(part, attribute.truth(scenes))
        for attribute, part in zip(ATTRIBUTES, parts, strict=True)
    ]
    placed = [
        (row, relation_index(relation), THINGS.index(group.thing))
        for row, scene in enumerate(scenes)
        if scene.relation is not None and scene.second is not None
        for relation, group in ((scene.relation, scene.first), (CONVERSE[scene.relation], scene.second))
    ]
    if placed:
        rows, relations, things = torch.tensor(placed).T
        named = sides.view(len(scenes), len(RELATIONS), len(THINGS))[rows, relations]
        losses.append(_TERM_WEIGHTS["relation"] * functional.cross_entropy(named, things))
    return torch.stack(losses).sum()


def _head_sizes() -> list[int]:
    """Outputs of the helper layers: one for each value of each attribute, and the thing on each of six sides."""
    return [*(len(attribute.values) for attribute in ATTRIBUTES), len(RELATIONS) * len(THINGS)]


def lesson_losses(
    model: torch.nn.Module,
    tokenizer: PreTrainedTokenizerFast,
    seen: torch.Tensor,
    scenes: Sequence[Scene],
    rng: random.Random,
    n_related: int,
) -> torch.Tensor:
    """How far the model is from ranking true sentences and pictures first, in the order of `_TERM_WEIGHTS`.

    Args:
        model: the model.
        tokenizer: its tokenizer.
        seen: its vectors of the pictures, (n, dim), of any length.
        scenes: what they show.
        rng: chooses the sentences.
        n_related: how many pictures of two things are asked for their relation.
    """
    lesson = write_lesson(scenes, rng, n_related)
    prompts = [attribute.prompts(rng) for attribute in ATTRIBUTES]
    seen = functional.normalize(seen, dim=-1)
    scale = model.logit_scale.exp().clamp(max=60.0)  # type: ignore[operator]
    read = scale * _encode(model, tokenizer, lesson.full + lesson.wrong + lesson.partial + lesson.relations)
    n = len(scenes)
    full, wrong, partial, relations = read.split([n, n, n, len(lesson.relations)])
    beside = torch.cat([seen @ full.T, (seen * wrong).sum(dim=1, keepdim=True)], dim=1)
    losses = [
        _ranking_loss(full @ seen.T, lesson.full_truth),
        _ranking_loss(beside, np.pad(lesson.full_truth.T, ((0, 0), (0, 1)))),
        _ranking_loss(partial @ seen.T, lesson.partial_truth),
        _relation_loss(seen, relations, scenes, lesson),
    ]
    named = scale * _encode(model, tokenizer, [text for texts in prompts for text in texts])
    for attribute, values in zip(ATTRIBUTES, named.split([len(texts) for texts in prompts]), strict=True):
        losses.append(_ranking_loss(seen @ values.T, attribute.truth(scenes)))
    return torch.stack(losses)


def _relation_loss(
    seen: torch.Tensor, relations: torch.Tensor, scenes: Sequence[Scene], lesson: Lesson
) -> torch.Tensor:
    if not lesson.related:
        return seen.new_zeros(())
    target = [relation_index(r) for i in lesson.related if (r := scenes[i].relation) is not None]
    choices = relations.view(len(lesson.related), -1, seen.shape[1])
    logits = torch.einsum("nd,nkd->nk", seen[lesson.related], choices)
    return functional.cross_entropy(logits, torch.tensor(target))


def _ranking_loss(logits: torch.Tensor, truth: Truth) -> torch.Tensor:
    """Cross-entropy of each row to an even share over what is true in it; rows without a truth do not count."""
    rows = torch.from_numpy(np.ascontiguousarray(truth))
    known = rows.sum(dim=1) > 0
    rows = rows[known] / rows[known].sum(dim=1, keepdim=True)
    return -(rows * functional.log_softmax(logits[known], dim=1)).sum(dim=1).mean()


def _encode(model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> torch.Tensor:
    """Unit rows for texts; sorted by length first, since short texts are most of them and padding costs."""
    length = model.context_length
    rows = tokenizer(texts, max_length=length, padding="max_length", truncation=True).input_ids
    tokens = torch.tensor(rows)
    lengths = (tokens != PAD_ID).sum(dim=1)
    order = torch.argsort(lengths, stable=True)
    parts = []
    for part in order.chunk(4):
        longest = int(lengths[part].max())
        parts.append(_encode_tokens(model, tokens[part, :longest]))
    return torch.cat(parts)[torch.argsort(order)]


def _encode_tokens(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """What `encode_text` does, for fewer tokens than the full context; later tokens do not act on earlier."""
    n = tokens.shape[1]
    x = model.token_embedding(tokens) + model.positional_embedding[:n]
    x = model.transformer(x, attn_mask=model.attn_mask[:n, :n])
    x = model.ln_final(x)
    ends = (tokens == model.text_eos_id).int().argmax(dim=1)
    pooled: torch.Tensor = x[torch.arange(len(x)), ends] @ model.text_projection
    return functional.normalize(pooled, dim=-1)


def _batches(plan: TrainingPlan) -> Iterator[list[int]]:
    """Pair numbers for each step: every pair once before any comes again, plain ones only at first."""
    rng = random.Random(f"order {plan.seed}")
    waiting: list[int] = []
    for step in range(plan.steps):
        if step == plan.plain_steps:
            waiting.clear()
        while len(waiting) < plan.pairs_per_batch:
            fresh = [row for row in range(plan.n_pairs) if step >= plan.plain_steps or is_plain_pair(row)]
            rng.shuffle(fresh)
            waiting += fresh
        yield [waiting.pop() for _ in range(plan.pairs_per_batch)]


def _image_tensor(pictures: NDArray[np.uint8], pairs: list[int], seed: int) -> torch.Tensor:
    """Pictures of the pairs, scaled to [-1, 1], each a little brighter, darker or shifted than before."""
    rng = np.random.default_rng(seed)
    rows = np.asarray([2 * pair + k for pair in pairs for k in (0, 1)])
    batch = pictures[rows]
    shift_y, shift_x = (int(v) for v in rng.integers(-3, 4, size=2))
    batch = np.roll(batch, (shift_y, shift_x), axis=(2, 3))
    images = torch.from_numpy(batch).float() / 127.5 - 1
    images = images.contiguous(memory_format=torch.channels_last)
    gain = torch.from_numpy(rng.uniform(0.88, 1.12, (len(rows), 1, 1, 1)).astype(np.float32))
    lift = torch.from_numpy(rng.uniform(-0.07, 0.07, (len(rows), 1, 1, 1)).astype(np.float32))
    return (images * gain + lift).clamp(-1, 1)


def _optimizer(model: torch.nn.Module, heads: torch.nn.Module, plan: TrainingPlan) -> torch.optim.Optimizer:
    """Pictures learn faster than text; only matrices are pulled towards zero."""
    rate = plan.picture_rate
    groups = [{"params": list(heads.parameters()), "weight_decay": 0.0, "lr": rate, "full_rate": rate}]
    for is_picture, rate in ((True, plan.picture_rate), (False, plan.text_rate)):
        named = [p for name, p in model.named_parameters() if name.startswith("visual.") == is_picture]
        for is_matrix, decay in ((True, plan.weight_decay), (False, 0.0)):
            weights = [p for p in named if (p.ndim >= 2) == is_matrix]
            groups.append({"params": weights, "weight_decay": decay, "lr": rate, "full_rate": rate})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def _set_learning_rate(optimizer: torch.optim.Optimizer, plan: TrainingPlan, step: int) -> None:
    """Rise over the first steps, then fall along half a cosine to zero."""
    rise = min(1.0, (step + 1) / plan.warmup_steps)
    share = max(0.0, (step - plan.warmup_steps) / max(1, plan.steps - plan.warmup_steps))
    for group in optimizer.param_groups:
        group["lr"] = group["full_rate"] * rise * 0.5 * (1 + math.cos(math.pi * share))


def _report_terms(step: int, means: torch.Tensor, seconds: float) -> None:
    parts = (f"{name} {mean:.2f}" for name, mean in zip(_TERM_WEIGHTS, means.tolist(), strict=True))
    _report(f"step {step}, {seconds:.0f} s: {', '.join(parts)}")


def _report(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write the encoder's folder."""
    plan = TrainingPlan()
    parser = argparse.ArgumentParser(prog="python -m indexer.demo.train", description=__doc__)
    parser.add_argument("--steps", type=int, default=plan.steps, help="batches to learn from")
    parser.add_argument("--out", type=Path, default=ENCODER_FOLDER, help="folder to write")
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--pairs", type=int, default=plan.n_pairs, help="pairs of pictures to draw")
    options = parser.parse_args(arguments)
    torch.set_num_threads(N_THREADS)
    plan = TrainingPlan(steps=options.steps, seed=options.seed, n_pairs=options.pairs)
    config = model_config()
    started = time.monotonic()
    model, _ = train_encoder(plan, config, lambda model: write_encoder(model, config, options.out))
    write_encoder(model, config, options.out)
    write_card(
        options.out,
        command=f"python -m indexer.demo.train --steps {plan.steps} --pairs {plan.n_pairs} --seed {plan.seed}",
        n_million=f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f}",
        n_things=len(THINGS),
        n_colours=len(COLOURS),
        n_places=len(PLACES),
        n_relations=len(RELATIONS),
        n_weathers=len(WEATHERS),
        n_words=len(all_words()),
        size_px=config["vision_cfg"]["image_size"],
        seed=plan.seed,
        steps=plan.steps,
        batch=2 * plan.pairs_per_batch,
        n_pictures=2 * plan.n_pairs,
        minutes=round((time.monotonic() - started) / 60),
    )
    _report(f"written to {options.out}")


if __name__ == "__main__":
    main()
