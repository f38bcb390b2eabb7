"""Little data: what is trained how, what is said of it, and what would help."""

from dataclasses import replace

import numpy as np
import pytest

from birnn.tasks.runs.fitting import little_data, training_batches, without_patience
from birnn.tasks.runs.launch import make_task
from birnn.terminal.views.training import little_notes

import contract


def load(name, variant, folder, **training):
    config = contract.tiny(name).TINY[variant](folder)
    task = make_task(name, replace(config, train=replace(config.train, **training)))
    return task, task.load()


def test_a_pass_in_batches_as_asked_for_needs_no_words(tmp_path):
    task, data = load("sentiment", "plain", tmp_path)
    assert little_data(task, data, task.config.train) == {}
    assert little_notes({}) == []


def test_few_items_are_trained_in_smaller_batches_and_again_and_that_is_said(tmp_path):
    task, data = load("sentiment", "plain", tmp_path, batch_size=64, epoch_steps=20, least_batch=4)
    rows = len(data.splits["train"])
    once = -(-rows // 4)
    little = little_data(task, data, task.config.train)
    passes = -(-20 // once)
    assert little == {"batch_size": 4, "epoch_steps": passes * once, "passes": passes}
    assert little_notes(little) == [
        f"little data: an epoch is {passes} passes in {passes * once} batches of up to 4"
    ]


def test_a_batch_size_that_was_asked_for_stays(tmp_path):
    task, data = load("sentiment", "plain", tmp_path, batch_size=12, epoch_steps=20, least_batch=4)
    assert little_data(task, data, task.config.train)["batch_size"] == 12


@pytest.mark.parametrize(
    ("training", "patience"),
    [({"least_batch": 4}, 0), ({"least_batch": 4, "patience": 3}, 3), ({"epoch_steps": 1}, 1)],
)
def test_the_default_patience_ends_no_training_of_few_items(tmp_path, training, patience):
    given = {"batch_size": 64, "epoch_steps": 20, "patience": 1, **training}
    task, data = load("sentiment", "plain", tmp_path, **given)
    sampler = training_batches(task, data, task.config.train)
    assert without_patience(task, sampler, task.config.train).patience == patience


def test_a_small_validation_split_is_said(tmp_path):
    task, data = load("tagging", "spans", tmp_path)
    little = little_data(task, data, task.config.train)
    assert little == {"margin": task.margin(data)}
    assert "validation" in little_notes(little)[0]


@pytest.mark.parametrize(
    ("name", "variant", "words"),
    [
        ("sentiment", "plain", ["texts to train on", "--vectors"]),
        ("sentiment", "vectors", ["texts to train on"]),
        ("tagging", "spans", ["sentences to train on"]),
        ("forecast", None, ["windows to train on", "--best"]),
        ("regression", None, ["sequences to train on"]),
    ],
)
def test_where_a_baseline_is_better_it_is_said_what_would_help(tmp_path, name, variant, words):
    task, data = load(name, variant or next(iter(contract.tiny(name).TINY)), tmp_path)
    predictions = list(np.eye(3)[np.arange(len(data.splits["test"])) % 3])
    assert task.advice(data, predictions, behind=False) == []
    advice = task.advice(data, predictions, behind=True)
    assert all(word in "; ".join(advice) for word in words)
    train = f"({len(data.splits['train']):,} now)"
    assert train in advice[0]


def test_one_class_for_all_texts_is_said_whoever_is_ahead(tmp_path):
    task, data = load("sentiment", "plain", tmp_path)
    same = [np.array([0.1, 0.8, 0.1])] * len(data.splits["test"])
    (rare, weigh) = task.advice(data, same, behind=False)
    assert repr(data.info.labels[1]) in rare
    assert "--class-weights" in weigh


def test_the_command_says_what_it_did_with_few_texts(birnn, tmp_path):
    rows = "".join(f"a {w} film {i},{w}\n" for i in range(30) for w in ("good", "bad"))
    (tmp_path / "texts.csv").write_text("text,label\n" + rows)
    options = ["--epochs", "1", "--hidden-size", "4", "--members", "1", "--vectors", "none"]
    out = birnn(
        "sentiment", "--data", tmp_path / "texts.csv", "--out", tmp_path / "run", *options
    ).out
    words = " ".join(out.split())
    assert "little data: an epoch is 7 passes in 21 batches of up to 16" in words
