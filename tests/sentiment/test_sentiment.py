"""The sentiment task: its loss, its mix of parts, what it decodes and what it says."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from birnn.config import EncoderConfig
from birnn.errors import ConfigError
from birnn.nn.batch import Batch
from birnn.tasks.sentiment.model import SentimentOutputs, consistency_loss, fit_mix
from birnn.tasks.sentiment.options import SentimentConfig, SentimentData, SentimentParts
from birnn.tasks.sentiment.task import Sentiment, auto_members

from writers import sentences, write_table


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


# ------------------------------------------------------------------ how the parts are mixed


def parts_of(seed, items=80, strengths=(1.0, 0.5)):
    """Gold classes and log-probabilities of two judges of them."""
    generator = np.random.default_rng(seed)
    gold = generator.integers(0, 3, items)
    logits = [
        generator.normal(size=(items, 3)) * 1.5 + strength * np.eye(3)[gold]
        for strength in strengths
    ]
    return [log_softmax(part) for part in logits], gold


def mix_loss(weights, parts, gold):
    """What :func:`fit_mix` promises to minimise, written out."""
    mixed = log_softmax(sum(w * part for w, part in zip(weights, parts, strict=True)))
    ridge = sum((w - 1 / len(parts)) ** 2 for w in weights)
    return -mixed[np.arange(len(gold)), gold].mean() + ridge / len(gold)


@pytest.mark.parametrize("strengths", [(1.0, 0.5), (3.0, 0.2), (0.3, 3.0), (2.0, -1.5), (-2, 2)])
@pytest.mark.parametrize("seed", [0, 1])
def test_mix_is_the_best_of_a_grid(seed, strengths):
    parts, gold = parts_of(seed, strengths=strengths)
    found = fit_mix(parts, gold)
    assert (found >= 0).all()
    grid = np.linspace(0, 3, 61)
    best = min(mix_loss((a, b), parts, gold) for a in grid for b in grid)
    assert mix_loss(found, parts, gold) <= best + 1e-4


def test_mix_of_one_part_is_a_temperature():
    parts, gold = parts_of(0, 400)
    sharp = fit_mix([parts[0] * 5], gold)
    assert sharp.shape == (1,)
    assert sharp[0] == pytest.approx(fit_mix([parts[0]], gold)[0] / 5, rel=0.05)


def test_mix_of_useless_parts_is_still_positive():
    parts, gold = parts_of(0, strengths=(-4, -4))
    found = fit_mix(parts, gold)
    assert (found >= 0).all()
    assert found.sum() > 0


def test_mix_of_a_handful_of_rows_stays_near_equal_shares():
    parts = [log_softmax(np.array([[9.0, 0.0], [0.0, 9.0]]))] * 2
    found = fit_mix(parts, np.array([0, 1]))
    assert np.abs(found - 0.5).max() < 0.5


# ------------------------------------------------------------------ the loss


def naive_divergence(first, second):
    """Σ p log(p / q) + Σ q log(q / p), item by item."""
    total = 0.0
    for a, b in zip(log_softmax(first), log_softmax(second), strict=True):
        total += sum(math.exp(x) * (x - y) + math.exp(y) * (y - x) for x, y in zip(a, b))  # noqa: B905
    return total


def test_consistency_loss_is_the_divergence_of_the_views_both_ways():
    logits = np.random.default_rng(0).normal(size=(8, 3))
    wanted = naive_divergence(logits[:4], logits[4:])
    assert float(consistency_loss(torch.from_numpy(logits))) == pytest.approx(wanted)


def test_consistency_loss_of_several_networks_compares_each_with_itself():
    logits = np.random.default_rng(0).normal(size=(2, 8, 3))
    wanted = sum(naive_divergence(part[:4], part[4:]) for part in logits)
    assert float(consistency_loss(torch.from_numpy(logits))) == pytest.approx(wanted)


def test_consistency_loss_of_equal_views_is_nothing():
    logits = torch.randn(4, 3)
    assert float(consistency_loss(torch.cat([logits, logits]))) == pytest.approx(0.0, abs=1e-6)


def task(**options):
    return Sentiment(SentimentConfig(model=SentimentParts(**options)))


def outputs(logits):
    """What the model would say: members' logits ``[M, B, C]``."""
    recurrent = logits.log_softmax(-1).mean(0)
    return SentimentOutputs(logits, recurrent, recurrent, None)


def batch(targets, weights=None, views=1):
    inputs = {} if weights is None else {"weights": torch.tensor(weights)}
    return Batch(inputs, torch.ones(len(targets)), torch.tensor(targets), views=views)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_loss_is_the_smoothed_cross_entropy_summed(smoothing):
    logits = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(0))
    targets = [0, 2, 1, 1]
    found = task(label_smoothing=smoothing, consistency=0.0).loss(outputs(logits), batch(targets))
    logs = log_softmax(logits[0].double().numpy())
    goal = np.eye(3)[targets] * (1 - smoothing) + smoothing / 3
    assert found.items == 4
    assert float(found.total) == pytest.approx(-(goal * logs).sum(), rel=1e-5)


def test_loss_of_several_networks_is_their_mean():
    logits = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0))
    targets = [0, 1, 1, 0]
    subject = task(consistency=0.0)
    whole = subject.loss(outputs(logits), batch(targets))
    each = [subject.loss(outputs(logits[i : i + 1]), batch(targets)) for i in range(3)]
    assert whole.items == each[0].items
    assert float(whole.total) == pytest.approx(np.mean([float(part.total) for part in each]))


def test_weighted_loss_counts_its_weights():
    logits = torch.randn(1, 3, 2, generator=torch.Generator().manual_seed(0))
    targets, weights = [0, 1, 1], [2.0, 0.5, 0.5]
    found = task(consistency=0.0).loss(outputs(logits), batch(targets, weights))
    logs = log_softmax(logits[0].double().numpy())
    wanted = -sum(w * logs[i, t] for i, (t, w) in enumerate(zip(targets, weights, strict=True)))
    assert float(found.total) == pytest.approx(wanted, rel=1e-5)
    assert found.items == pytest.approx(3.0)


def test_loss_of_two_views_adds_the_divergence():
    logits = torch.randn(1, 4, 2, generator=torch.Generator().manual_seed(0))
    subject = task(consistency=2.0)
    assert subject.views == 2
    found = subject.loss(outputs(logits), batch([0, 1, 0, 1], views=2))
    plain = task(consistency=0.0).loss(outputs(logits), batch([0, 1, 0, 1]))
    part = logits[0].double().numpy()
    wanted = float(plain.total) + 2.0 * naive_divergence(part[:2], part[2:])
    assert float(found.total) == pytest.approx(wanted, rel=1e-5)
    assert task(consistency=0.0).views == 1


# ------------------------------------------------------------------ scores from counts


def test_validation_scores_are_those_of_scikit_learn():
    from sklearn import metrics as sk

    logits = torch.randn(1, 50, 3, generator=torch.Generator().manual_seed(0))
    gold = np.arange(50) % 3
    subject = task()
    counts: dict[str, np.ndarray] = {}
    for start in range(0, 50, 20):
        chosen = slice(start, start + 20)
        part = subject.count(outputs(logits[:, chosen]), batch(gold[chosen].tolist()), None)
        counts = {name: counts.get(name, 0) + value for name, value in part.items()}
    found = subject.scores(counts)
    shares = logits[0].softmax(-1).numpy()
    guess = shares.argmax(1)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(gold, guess))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(gold, guess, average="macro"))
    assert found["log_loss"] == pytest.approx(sk.log_loss(gold, shares), rel=1e-5)


# ------------------------------------------------------------------ data and description


def small(path, **data):
    model = SentimentParts(
        word_size=4, gram_size=3, gram_buckets=20, members=data.pop("members", 1),
        class_weights=data.pop("class_weights", "none"), wide=data.pop("wide", True),
    )  # fmt: skip
    options = SentimentData(data=str(path), **{"vectors": "none", **data})
    return Sentiment(SentimentConfig(options, model, EncoderConfig(hidden_size=4)))


def test_labels_are_ordered_as_a_person_would(tmp_path):
    labels = ["10", "9", "-1", "b", "a"]
    rows = [(text, labels[i % 5]) for i, (text, _) in enumerate(sentences(100))]
    data = small(write_table(tmp_path / "x.csv", rows)).load()
    assert data.info.labels == ["-1", "9", "10", "a", "b"]


def test_words_and_ngrams_come_from_train_alone(tmp_path):
    moods = [("good", "fine warm day"), ("bad", "grey cold day")]
    for name, own in (("train", "dawn"), ("validation", "noon"), ("test", "dusk")):
        rows = [f"{text} {own} {own}{i},{mood}" for i in range(20) for mood, text in moods]
        (tmp_path / f"{name}.csv").write_text("\n".join(["text,label", *rows]))
    data = small(tmp_path, min_frequency=1).load()
    texts = data.splits["train"].table
    train = {token for tokens in texts["tokens"][:] for token in tokens}
    assert set(data.info.lexicon.words) == {"<pad>", "<unk>", *train}
    assert "dawn" in train
    assert data.info.ngrams.texts == len(texts)
    assert {part for words in data.info.ngrams.words for part in words.split()} == train
    letters = " ".join(f" {text} " for text in texts["text"][:])
    assert all(gram in letters for gram in data.info.ngrams.chars)
    assert not any("noon" in gram or "dusk" in gram for gram in data.info.ngrams.chars)


def test_what_is_fitted_after_training_never_sees_test(sentences_csv):
    sentiment = small(sentences_csv)
    data = sentiment.load()
    seen = {name: split for name, split in data.splits.items() if name != "test"}
    torch.manual_seed(0)
    model = sentiment.model(data.info).eval()
    found = sentiment.finish(model, dataclasses.replace(data, splits=seen))
    assert found["wide"]["C"] > 0
    assert set(found["mix"]) == {"recurrent", "wide"}


def test_class_weights_are_balanced_in_train_alone(tmp_path):
    rows = [row for i, row in enumerate(sentences(200)) if row[1] == "good" or i % 4 == 1]
    path = write_table(tmp_path / "x.csv", rows)
    splits = small(path, class_weights="balanced").load().splits
    train = splits["train"]
    sums = np.bincount(train.targets, weights=train.weights)
    assert sums[0] == pytest.approx(sums[1], rel=1e-5)
    assert train.weights.mean() == pytest.approx(1.0)
    assert splits["validation"].weights is splits["test"].weights is None
    assert small(path).load().splits["train"].weights is None


def test_vectors_are_shared_and_never_trained(tmp_path, sentences_csv):
    (tmp_path / "v.txt").write_text("film 1 2 3\nlovely 4 5 6\n")
    subject = small(sentences_csv, vectors=str(tmp_path / "v.txt"), members=2)
    data = subject.load()
    assert data.info.vector_name == "v.txt"
    assert data.info.vector_size == 3
    model = subject.model(data.info)
    tables = [t for t in model.state_dict().values() if t.shape == (2, 3)]
    assert len(tables) == 1
    torch.testing.assert_close(tables[0].float(), torch.tensor([[1.0, 2, 3], [4, 5, 6]]))
    assert not any(p.shape == (2, 3) for p in model.parameters())
    assert any("v.txt describe" in note for note in data.notes)


def test_word_without_any_feature_is_refused(sentences_csv):
    subject = small(sentences_csv)
    model = dataclasses.replace(subject.config.model, word_size=0, gram_size=0)
    with pytest.raises(ConfigError, match="--word-size"):
        Sentiment(dataclasses.replace(subject.config, model=model)).load()


def test_wide_part_is_said_in_the_header(sentences_csv):
    subject = small(sentences_csv)
    lines = dict(subject.describe(subject.load().info))
    assert "added to the recurrent part" in lines["wide part"]
    assert "4, bidirectional" in lines["encoder"]
    plain = small(sentences_csv, wide=False)
    assert dict(plain.describe(plain.load().info))["wide part"] == "none"


def test_few_texts_are_given_several_networks():
    assert auto_members(1000) > auto_members(100_000) == 1


def test_cut_texts_are_counted(tmp_path):
    rows = [*sentences(100), ("word " * 50, "good")]
    data = small(write_table(tmp_path / "x.csv", rows), max_length=20).load()
    assert data.provenance["cut_texts"] == 1
    assert any("1 text longer than 20 words is cut" in note for note in data.notes)


def test_model_without_a_wide_part_predicts_its_recurrent_part(sentences_csv):
    subject = small(sentences_csv, wide=False)
    data = subject.load()
    model = subject.model(data.info).eval()
    part = data.splits["test"].batch(np.arange(5))
    with torch.inference_mode():
        found = model(part)
    torch.testing.assert_close(found.mixed, found.recurrent)
    shares = np.stack(subject.decode(found, part))
    np.testing.assert_allclose(shares.sum(1), 1.0, rtol=1e-5)


def test_mix_and_wide_part_make_the_prediction(sentences_csv):
    subject = small(sentences_csv)
    data = subject.load()
    model = subject.model(data.info).eval()
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(len(data.info.ngrams), 2)).astype(np.float32)
    bias = np.array([0.3, -0.3], dtype=np.float32)
    model.set_wide(weight, bias)
    model.set_mix(np.array([0.7, 0.4]))
    test = data.splits["test"]
    rows = np.array([4, 0, 2])
    with torch.inference_mode():
        found = model(test.batch(rows))
    wide = log_softmax(test.ngrams[rows].toarray() @ weight + bias)
    wanted = log_softmax(0.7 * found.recurrent.numpy() + 0.4 * wide)
    np.testing.assert_allclose(found.mixed.log_softmax(-1).numpy(), wanted, atol=1e-5)


def test_columns_of_texts_are_the_tasks_own_or_as_they_are_named() -> None:
    class Queries(Sentiment):
        text_columns = ("query",)

    class Pairs(Sentiment):
        text_columns = ("first", "second")

    def named(kind: type[Sentiment], given: str) -> tuple[str, ...]:
        return kind(SentimentConfig(SentimentData(text_column=given))).source_columns

    assert named(Sentiment, "") == ("",)
    assert named(Sentiment, "body, mind") == ("body, mind",)
    assert named(Queries, "") == ("query",)
    assert named(Queries, "q") == ("q",)
    assert named(Pairs, "") == ("first", "second")
    assert named(Pairs, "a, b") == ("a", "b")
    with pytest.raises(ConfigError, match="name 2 columns"):
        named(Pairs, "a")
