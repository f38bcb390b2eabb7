"""The tagging task: what it counts, chooses on validation, and learns from train alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import get_entities

from birnn.data.tags.schemes import convert
from birnn.errors import ConfigError, DataError
from birnn.tasks.core.inference import predict, run_split
from birnn.tasks.core.task import TaskData
from birnn.tasks.tagging.decoding import BONUSES, choose_bonus, count_right, predicted_tags
from birnn.tasks.tagging.info import TagInfo, auto_members
from birnn.tasks.tagging.options import TaggingConfig
from birnn.tasks.tagging.task import Tagging, validation_spans

import contract
from strategies import randomise


def load(folder: Path, **model: object) -> tuple[Tagging, TaskData]:
    config = contract.tiny("tagging").spans(folder)
    task = Tagging(replace(config, model=replace(config.model, **model)))
    return task, task.load()


def with_data(config: TaggingConfig, **options: object) -> Tagging:
    return Tagging(replace(config, data=replace(config.data, **options)))


def gold_tags(data: TaskData, split: str) -> list[list[str]]:
    return list(data.splits[split].table["tags"][:])


def test_counts_are_those_of_seqeval_for_each_bonus(tmp_path):
    task, data = load(tmp_path)
    torch.manual_seed(0)
    model = randomise(task.model(data.info)).eval()
    train = data.splits["train"]
    counts = sum(
        count_right(outputs, batch.targets, data.info, BONUSES)["spans"]
        for _, batch, outputs in run_split(model, train, task.config.train)
    )
    for i in (0, 4, len(BONUSES) - 1):
        model.span_bonus.fill_(model.span_bonus.item() + (BONUSES[i] if i else 0.0))
        tags = predicted_tags(predict(task, model, train), data.info)
        right, found, wanted = counts[i]
        f1 = 2 * right / (found + wanted) if found + wanted else 0.0
        assert f1 == pytest.approx(f1_score(gold_tags(data, "train"), tags, zero_division=0))
        model.span_bonus.fill_(model.span_bonus.item() - (BONUSES[i] if i else 0.0))


def test_the_bonus_is_the_one_best_on_validation(tmp_path, monkeypatch):
    monkeypatch.setattr("birnn.tasks.tagging.decoding.ENOUGH_SPANS", 0)
    task, data = load(tmp_path)
    torch.manual_seed(0)
    model = task.model(data.info)
    with torch.no_grad():
        model.members[0].head.linear.weight.normal_(std=0.5)
    extra = task.finish(model.eval(), data)
    scores = {}
    for bonus in BONUSES:
        model.span_bonus.fill_(bonus)
        tags = predicted_tags(predict(task, model, data.splits["validation"]), data.info)
        gold = gold_tags(data, "validation")
        scores[bonus] = f1_score(gold, tags, zero_division=0)
    assert scores[extra["span_bonus"]] == pytest.approx(max(scores.values()))
    assert extra["validation_span_f1"] == pytest.approx(max(scores.values()))


@pytest.mark.parametrize(
    ("f1", "spans", "wanted"),
    [
        ([0.1, 0.5, 0.5, 0.2], 100, 0.25),  # enough spans: the first best one
        ([0.0] * 13, 0, 1.5),  # none: that of an F1 of .4, log 4
        ([0.0] * 13, 20, 2.25),  # .2 is likely: log 9
        ([0.9] * 13, 80, 0.5),  # .8 is likely: log 1.5
    ],
)
def test_few_spans_leave_the_bonus_to_theory(f1, spans, wanted):
    assert BONUSES[choose_bonus(np.array(f1), BONUSES[: len(f1)], spans)] == wanted


def test_a_small_validation_split_has_a_margin_by_its_spans(tmp_path, monkeypatch):
    task, data = load(tmp_path)
    spans = validation_spans(data)
    gold = gold_tags(data, "validation")
    assert spans == sum(len(get_entities(row)) for row in gold)
    assert task.margin(data) == pytest.approx(spans**-0.5)
    monkeypatch.setattr("birnn.tasks.tagging.task.ENOUGH_SPANS", spans)
    assert task.margin(data) == 0.0


def test_without_the_bonus_the_likeliest_tags_are_predicted(tmp_path):
    task, data = load(tmp_path, span_bonus=False)
    model = task.model(data.info).eval()
    assert "span_bonus" not in task.finish(model, data)
    assert float(model.span_bonus) == 0.0


def test_words_letters_and_spans_come_from_train_alone(tmp_path):
    _, data = load(tmp_path)
    train = data.splits["train"].table["tokens"][:]
    words = {token.lower() for row in train for token in row}
    info: TagInfo = data.info
    assert set(info.lexicon.words.words) == {"<pad>", "<unk>", *words}
    assert set(info.lexicon.characters) <= {"<pad>", "<unk>", *"".join(t for r in train for t in r)}
    surfaces = {surface for surface, _ in info.spans}
    assert all(set(surface.split()) <= words for surface in surfaces)
    others = {
        token.lower() for name in ("validation", "test")
        for row in data.splits[name].table["tokens"][:] for token in row
    }  # fmt: skip
    assert others - words  # there was something to leak


def test_a_note_says_how_many_of_train_s_tokens_have_a_vector(tmp_path):
    config = contract.tiny("tagging").raw(tmp_path)
    data = Tagging(config).load()
    known = {line.split()[0] for line in Path(config.data.vectors).read_text().splitlines()}
    tokens = [token for row in data.splits["train"].table["tokens"][:] for token in row]
    share = sum(token in known for token in tokens) / len(tokens)
    assert 0 < share < 1
    assert data.notes[-1].endswith(f"describe {share:.1%} of train's tokens")


def test_targets_are_iobes_and_predictions_the_user_s_own(tmp_path):
    _, data = load(tmp_path)
    split, info = data.splits["train"], data.info
    ids = np.split(split.targets, np.cumsum(split.lengths)[:-1])
    rows = [np.column_stack([row, row, row]) for row in ids]
    assert [[info.labels[i] for i in row] for row in ids] == [
        convert(tags, "iob2", "iobes") for tags in gold_tags(data, "train")
    ]
    assert predicted_tags(rows, info) == gold_tags(data, "train")


def test_monitors_are_those_that_the_tags_have(tmp_path):
    task, data = load(tmp_path)
    assert task.monitor(data.info) == "span_f1"
    assert task.monitor(replace(data.info, scheme="raw")) == "accuracy"
    asked = Tagging(replace(task.config, train=replace(task.config.train, monitor="span_f1")))
    with pytest.raises(ConfigError, match="monitor: 'span_f1' is not one of accuracy, nll"):
        asked.monitor(replace(data.info, scheme="raw"))


def test_a_token_without_features_is_refused(tmp_path):
    nothing = {"word_size": 0, "char_size": 0, "affix_size": 0, "case": False}
    with pytest.raises(ConfigError, match="a token has no features"):
        load(tmp_path, **nothing)


def test_data_of_other_types_is_refused(tmp_path):
    task, data = load(tmp_path)
    (tmp_path / "new.conll").write_text("Acme\tB-org\n")
    with pytest.raises(DataError, match=r"sentence at line 1: .* 'org' \(1\); it knows per"):
        task.load_split(data.info, str(tmp_path / "new.conll"), "test")


def test_a_frequency_leaves_rare_words_without_a_row_but_seen(tmp_path):
    contract.tiny("tagging").write_tagged(tmp_path / "people.conll")
    task = with_data(contract.tiny("tagging").spans(tmp_path), min_frequency=3)
    info = task.load().info
    assert "n1" not in info.lexicon.words.words
    assert info.rare
    assert not info.rare & set(info.lexicon.words.words)


@pytest.mark.parametrize(("sentences", "members"), [(10, 3), (5001, 2), (20_001, 1)])
def test_small_data_gets_more_networks(sentences, members):
    assert auto_members(sentences) == members
