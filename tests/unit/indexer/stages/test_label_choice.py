"""The words chosen for what a labeler saw."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.models.imagenet_classes import class_groups, imagenet_classes
from indexer.models.labeler import Vocabulary, imagenet_vocabulary
from indexer.stages.label_choice import choose_labels

SMALL = Vocabulary(("cat", "dog", "pet"), ((0,), (1,), (0, 1)), ("class", "class", "kind"), 3)


def seen(**classes: float) -> np.ndarray:
    """A picture of ImageNet's classes, by plain name; what is left is spread evenly, as smoothed labels are."""
    names = [one.plain_name for one in imagenet_classes()]
    row = np.full((1, 1000), (1 - sum(classes.values())) / 1000, np.float32)
    for name, share in classes.items():
        row[0, names.index(name.replace("_", " "))] += share
    return row


def test_breeds_add_up_to_a_dog() -> None:
    """Of many breeds, each unlikely, the word for all of them comes first, and no breed is claimed."""
    breeds = [i for i in class_groups()["dog"] if i != 207]
    row = np.full((1, 1000), 0.1 / 1000, np.float32)
    row[0, breeds] += 0.9 / len(breeds)
    labels = choose_labels(row, imagenet_vocabulary(), 5, 0.05)
    assert "dog" == labels[0].word
    assert labels[0].score == pytest.approx(1, abs=0.01)
    assert not [one for one in labels if one.origin == "class"]


def test_one_sure_class_comes_first_and_is_said_in_different_ways() -> None:
    """A ladybug is a ladybug before it is an animal."""
    labels = choose_labels(seen(ladybug=0.8), imagenet_vocabulary(), 5, 0.05)
    assert "ladybug" == labels[0].word
    assert {"insect", "animal"} & {one.word for one in labels}


def test_what_is_spread_evenly_is_no_label() -> None:
    """398 of 1,000 classes are animals: a picture of nothing shows none for that."""
    assert [] == choose_labels(seen(), imagenet_vocabulary(), 5, 0.05)
    words = [one.word for one in choose_labels(seen(church=0.3), imagenet_vocabulary(), 5, 0.05)]
    assert "animal" not in words and "church" in words


def test_few_classes_are_taken_as_they_are() -> None:
    """A labeler of three classes has no background to take off."""
    labels = choose_labels(np.array([[0.1, 0.7, 0.2]], np.float32), SMALL, 2, 0.05)
    assert "dog" == labels[0].word
    assert labels[0].score == pytest.approx(0.7, abs=1e-4)


def test_pictures_are_averaged() -> None:
    """A label of one of two pictures has half its score."""
    labels = choose_labels(np.array([[0, 1, 0], [0, 0, 1]], np.float32), SMALL, 1, 0.05)
    assert [("dog", 0.5)] == [(one.word, one.score) for one in labels]


def test_every_class_has_a_name_and_every_word_its_classes() -> None:
    """The list of words is whole: 1,000 names, and words of what they are that hold more than themselves."""
    vocabulary = imagenet_vocabulary()
    assert 1000 == len(imagenet_classes()) == vocabulary.n_classes
    assert len(vocabulary.words) == len(set(vocabulary.words))
    assert 118 == len(class_groups()["dog"])
    assert (vocabulary.members.sum(axis=0) >= 1).all() and (vocabulary.members.sum(axis=1) >= 1).all()
