"""Which columns are texts and labels: by names, by what a run remembers, by what they hold."""

import datasets
import pytest

from birnn.data.text.choosing import Asked, choose_columns, choose_text, describe_columns
from birnn.errors import DataError

SAID = "a film of some words"


def table(count=40, **columns):
    """Columns of values, or of what a function makes of a row's number."""
    made = {name: [v(i) if callable(v) else v for i in range(count)] for name, v in columns.items()}
    return datasets.Dataset.from_dict(made)


def text(i):
    return f"{SAID} no {i}"


def two(i):
    return ["good", "bad"][i % 2]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"id": str, "Review Text": text, "Title": "Short", "Rating": two}, "Review Text, Rating"),
        ({"textID": str, "text": text, "selected_text": "a", "sentiment": two}, "text, sentiment"),
        ({"SentimentText": text, "Sentiment": two, "ItemID": str}, "SentimentText, Sentiment"),
        ({"Phrase": text, "PhraseId": str, "Sentiment": lambda i: i % 5}, "Phrase, Sentiment"),
        ({"OriginalTweet": text, "TweetAt": "16-03-2020", "label": two}, "OriginalTweet, label"),
        ({"text": text, "label": lambda i: i % 2, "label_text": two}, "text, label"),
        ({"text": text, "label": str, "category": two}, "text, category"),
        ({"text": text, "label": text, "polarity": two}, "text, polarity"),
        ({"text": text, "airline_sentiment": two, "airline_sentiment_confidence": lambda i: i / 40},
         "text, airline_sentiment"),
        ({"remark_de": text, "verdict": two}, "remark_de, verdict"),
        ({"文章": lambda i: "这部电影 真的 很好 看" + str(i), "结果": two}, "文章, 结果"),
        ({"text": text, "score": lambda i: i / 7, "stars": lambda i: i % 5}, "text, stars"),
        ({"review": text, "review_id": str, "review_date": "May 1", "stars": two}, "review, stars"),
    ],
)  # fmt: skip
def test_columns_are_told_by_name_and_content(columns, found):
    chosen = choose_columns(table(**columns), Asked(), "x")
    assert ", ".join([*chosen.texts, chosen.label]) == found


def test_of_two_texts_the_fuller_and_longer_one_is_taken_and_said():
    data = table(Title=lambda i: "Fine" if i % 3 else "", text=text, label=two)
    chosen = choose_columns(data, Asked(), "x")
    assert chosen.texts == ["text"]
    (note,) = chosen.notes
    for words in ("'Title' could be it too", "'text' is the fuller and longer one", "40 filled",
                  "26 filled", "--text-column Title takes the other"):  # fmt: skip
        assert words in note
    line = describe_columns(chosen)
    assert line == "columns: text from 'text', label from 'label', not used: 'Title'"


def test_of_two_texts_alike_one_is_taken_with_a_warning():
    chosen = choose_columns(table(sentence2=text, sentence1=text, gold_label=two), Asked(), "x")
    assert chosen.texts == ["sentence2"]
    (warning,) = chosen.warnings
    assert "as full and long" in warning
    assert "--text-column sentence1 takes the other" in warning


def test_of_two_labels_the_usual_one_is_taken_and_said():
    chosen = choose_columns(table(text=text, rating=two, sentiment=two), Asked(), "x")
    assert chosen.label == "sentiment"
    assert "--label-column rating takes the other" in chosen.notes[0]


def test_an_id_is_no_label_and_that_is_said():
    chosen = choose_columns(table(text=text, label=str, topic=two), Asked(), "x")
    assert chosen.label == "topic"
    assert "'label' holds no classes" in chosen.notes[0]


def test_a_run_remembers_its_columns_whatever_their_case():
    data = table(**{"Review text": "short", "text": text, "RATING": two, "label": two})
    remembered = {"text": "Review Text", "label": "rating"}
    chosen = choose_columns(data, Asked(remembered=remembered), "x")
    assert (chosen.texts, chosen.label) == (["Review text"], "RATING")
    chosen = choose_columns(data, Asked(("text",), "label", remembered), "x")
    assert (chosen.texts, chosen.label) == (["text"], "label")


def test_a_column_that_is_not_there_is_found_anew_and_said():
    name, notes = choose_text(table(body=text), "", {"text": "Review Text"}, "x")
    assert name == "body"
    assert "'Review Text', which isn't here" in notes[0]
    with pytest.raises(DataError, match="--text-column; there are: a, b"):
        choose_text(table(a="x", b=two), "", {"text": "Review Text"}, "x")


def test_what_can_be_read_in_two_ways_is_refused_with_its_option():
    with pytest.raises(DataError, match="--text-column; there are: premise, hypothesis, label"):
        choose_columns(table(premise=text, hypothesis=text, label=two), Asked(), "x")
    with pytest.raises(DataError, match="--label-column; there are: text, north, south"):
        choose_columns(table(text=text, north=two, south=two), Asked(), "x")
