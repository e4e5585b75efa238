# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Training of the photo CLIP: the losses of a step, and the loop."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from ...models.clip.tokenizer import get_tokenizer
from .batches import Batch, Settings
from .losses import attention_loss, cam_loss, contrast_loss, place_loss
from .student import Student, Towers
from .teacher import Teacher
from .vocabulary import TEMPLATES, Vocabulary

__all__ = ['Trainer', 'train']

_ABSENT = 0.02  # probability of a name above which it may be seen
_SURE = 0.1  # probability of a name whose map is worth learning


@dataclass(frozen=True)
class _Step:
    """Hold the inputs that the losses of a step read.

    Attributes:
        batch (Batch): Photos.
        towers (Towers): What the student makes of them.
        text (Tensor): Features of the step's names, (G, E).
        names (list[int]): Their columns of the vocabulary, sorted.
        columns (Tensor): The photos' captions among them, int64, (N,).
        mass (Tensor): The teacher's probabilities of the names, (N, G).
        keep (Tensor): 0 where the last block's residual was dropped, (N,).
    """

    batch: Batch
    towers: Towers
    text: Tensor
    names: list[int]
    columns: Tensor
    mass: Tensor
    keep: Tensor


class Trainer:
    """The losses of a batch.

    Args:
        student (Student): Whom to train.
        teacher (Teacher): The classifier.
        vocabulary (Vocabulary): Names.
        settings (Settings): Weights and numbers.
        rng (np.random.Generator): For names and places.
    """

    def __init__(
        self,
        student: Student,
        teacher: Teacher,
        vocabulary: Vocabulary,
        settings: Settings,
        rng: np.random.Generator,
    ) -> None:
        # Keep the models, the names' classes and the settings
        self.student, self.teacher = student, teacher
        self.members, self.settings = vocabulary.members, settings
        self.rng = rng
        # Tokenise all names in all templates, once
        tokenizer = get_tokenizer()
        self.ids = [
            tokenizer([template.format(name) for name in vocabulary.names])
            for template in TEMPLATES
        ]
        # Names of each class, its own first.
        self.names_of = [
            row.nonzero()[:, 0].tolist() for row in vocabulary.members
        ]

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Compute all losses, weighted, by name."""
        settings, student = self.settings, self.student
        # Run the towers, and match the places
        step = self._look(batch)
        places = settings.place_weight * self._place_loss(step)
        # Take maps of some photos only: they are the dearest part
        some = torch.from_numpy(
            self.rng.permutation(len(step.keep))[: settings.maps]
        )
        # Represent a photo by the mean of its places
        image = F.normalize(step.towers.places.mean(dim=1), dim=1)
        # Compare the attention of every block with the stem's features
        features = student.standardise(batch.features[some])
        attention = [
            attention_loss(weights[some], features, settings.temperature)
            for weights in step.towers.attention
        ]
        return dict(
            contrast=contrast_loss(
                student.scale * image @ step.text.T, step.mass
            ),
            places=places,
            cams=settings.cam_weight * self._cam_loss(step, some),
            attention=settings.attention_weight
            * torch.stack(attention).mean(),
        )

    def _look(self, batch: Batch) -> _Step:
        """Draw captions and names, and run both towers."""
        # Draw a caption of each photo, and other names beside them
        captions = self._draw_captions(batch.probabilities)
        others = self.rng.choice(
            self.members.shape[1], self.settings.other_names, replace=False
        )
        names = sorted({*captions, *others.tolist()})
        # Encode all these names by one template
        ids = self.ids[self.rng.integers(len(self.ids))]
        text = self.student.encode_text(ids[names])
        # Drop the residual path of the last block for some photos
        keep = self._chance(len(captions), 1 - self.settings.drop_residual)
        return _Step(
            batch,
            self.student(batch.features, keep[:, None, None]),
            text,
            names,
            torch.tensor([names.index(caption) for caption in captions]),
            (batch.probabilities @ self.members)[:, names],
            keep,
        )

    def _draw_captions(self, probabilities: Tensor) -> list[int]:
        """Draw a name of each photo, half of the names broad."""
        # Make the chances add up to 1 in double precision
        chances = probabilities.double().numpy()
        chances /= chances.sum(axis=1, keepdims=True)
        captions = []
        # Draw a class of each photo, then its own name or a broader one
        for row in chances:
            own, *broader = self.names_of[self.rng.choice(len(row), p=row)]
            broad = broader and self.rng.random() < 0.5
            captions.append(int(self.rng.choice(broader)) if broad else own)
        return captions

    def _chance(self, count: int, chance: float) -> Tensor:
        """Draw 1 with a chance, else 0."""
        return torch.from_numpy(self.rng.random(count) < chance).float()

    def _place_loss(self, step: _Step) -> Tensor:
        """Compute the loss at some places of each photo."""
        # Draw places of each photo
        places = step.towers.places
        count, total = places.shape[:2]
        rows = torch.arange(count)[:, None]
        drawn = torch.from_numpy(
            self.rng.integers(total, size=(count, self.settings.places))
        )
        # Ask the teacher what it names there
        with torch.no_grad():
            said = self.teacher.classify(step.batch.hidden[rows, drawn])
            mass = (said.softmax(dim=-1) @ self.members)[..., step.names]
        # Compare the student's embeddings with the names
        embeddings = F.normalize(places[rows, drawn], dim=-1)
        logits = self.student.scale * embeddings @ step.text.T
        return place_loss(logits, mass, step.keep[:, None])

    def _cam_loss(self, step: _Step, some: Tensor) -> Tensor:
        """Compute the loss of the captions' maps of some photos, int64."""
        tokens, columns = step.towers.tokens[some], step.columns[some]
        rows, mass = torch.arange(len(some)), step.mass[some]
        # Score the photos as at test time, residual path and all.
        places, _ = self.student.run_last_block(
            step.towers.residual[some], tokens, torch.ones(1, 1, 1)
        )
        image = F.normalize(places.mean(dim=1), dim=1)
        logits = self.student.scale * image @ step.text.T
        # Take half of the names that do not fit as backgrounds.
        left_out = self._chance(len(step.names), 0.5).bool()
        left_out = left_out | (mass > _ABSENT)
        left_out[rows, columns] = False
        scores = logits.masked_fill(left_out, float('-inf')).softmax(dim=1)
        with torch.no_grad():
            maps = self._class_maps(
                step.batch.hidden[some], torch.tensor(step.names)[columns]
            )
            sure = (mass[rows, columns] > _SURE).float()
        return cam_loss(scores[rows, columns], tokens, maps, sure)

    def _class_maps(self, hidden: Tensor, names: Tensor) -> Tensor:
        """Take the root of the teacher's map of each photo's name, (N, hw).

        The root, since whole objects are wanted, not their peaks.
        """
        logits = self.teacher.classify(hidden)  # (N, hw, 1000)
        members = self.members.T[names].bool()
        logits = logits.masked_fill(~members[:, None], float('-inf'))
        return logits.amax(dim=-1).clamp_min(0).sqrt()


def train(trainer: Trainer, batches: Iterator[Batch]) -> dict[str, float]:
    """Run the steps, with a progress bar.

    Args:
        trainer (Trainer): The losses, and the student whom they change.
        batches (Iterator[Batch]): At least as many as there are steps.

    Returns:
        dict[str, float]: Mean of each loss over the last 100 steps.
    """
    # Set the optimiser up, with a warm-up and a cosine
    settings, student = trainer.settings, trainer.student
    parameters = [p for p in student.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=settings.lr, betas=(0.9, 0.98), weight_decay=0.05
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.lr, total_steps=settings.steps, pct_start=0.1
    )
    history: list[dict[str, float]] = []
    with tqdm(total=settings.steps, unit='step') as bar:
        for step in range(settings.steps):
            losses = trainer.losses(next(batches))
            optimizer.zero_grad()
            torch.stack(list(losses.values())).sum().backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            # Tie query and key again, which the step drew apart
            student.tie_query_and_key()
            # Record the losses, and show their recent mean
            history.append({k: float(v.detach()) for k, v in losses.items()})
            bar.update()
            if step % 50 == 49:
                bar.set_postfix(_mean_of(history[-50:]))
    return _mean_of(history[-100:])


def _mean_of(history: list[dict[str, float]]) -> dict[str, float]:
    """Average each loss over steps."""
    return {
        name: round(float(np.mean([h[name] for h in history])), 4)
        for name in history[0]
    }
