"""Is code read as it stands, are the shipped tables sound, and is the extractor right where it was checked?"""

import csv
import zipfile

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.datasets.architectures import (
    CORE,
    FEATURES,
    PERIODS,
    architectures,
    frameworks,
    gold,
    interfaces,
    templates,
)
from limitset.datasets.architectures.accuracy import extraction_accuracy
from limitset.datasets.architectures.extraction import COLUMNS, architectures_in, frameworks_in
from limitset.datasets.architectures.features import features_of
from limitset.datasets.architectures.lineage import ancestors, copied_from, parents, roots
from limitset.datasets.architectures.routers import interfaces_in
from limitset.datasets.architectures.syntax import Code
from limitset.datasets.architectures.table import HERE, digest, provenance
from limitset.datasets.architectures.wheels import Wheel, order_of, wheels_in

LLAMA_LIKE = """
from torch import nn
class NewRMSNorm(nn.Module):
    def forward(self, x):
        return x * rsqrt(x.pow(2).mean(-1))
def rotate_half(x): return x
def apply_rotary_pos_emb(q, k): return rotate_half(q), rotate_half(k)
class NewMLP(nn.Module):
    def __init__(self, config):
        self.gate_proj = nn.Linear(1, 1)
        self.act_fn = ACT2FN[config.hidden_act]
    def forward(self, x):
        return self.down_proj(self.act_fn(self.gate_proj(x)) * self.up_proj(x))
class NewAttention(nn.Module):
    def __init__(self, config):
        self.num_key_value_heads = config.num_key_value_heads
    def forward(self, q, k):
        return softmax(apply_rotary_pos_emb(q, k))
class NewLayer(nn.Module):
    def __init__(self, config):
        self.input_layernorm = NewRMSNorm(config.hidden_size)
        self.self_attn = NewAttention(config)
        self.mlp = NewMLP(config)
class NewForCausalLM(nn.Module):
    def __init__(self, config: NewConfig):
        self.layers = nn.ModuleList([NewLayer(config)])
class TowerOfImages(nn.Module):
    def __init__(self, config):
        self.q_norm = nn.LayerNorm(1)
        self.router = Router(config.num_experts)
class VisionAttention(nn.Module):
    def forward(self): return self.sliding_window
"""
SETTINGS = """
class NewConfig:
    def __init__(self, hidden_size=8, num_key_value_heads=2, hidden_act="silu"): pass
"""


def read(modeling=LLAMA_LIKE, settings=SETTINGS, head="NewForCausalLM", **more):
    return features_of(modeling, settings, head=head, **more)


def test_a_usual_decoder_is_read_and_a_tower_beside_it_is_not():
    got = read()
    assert (got.norm, got.position, got.gated, got.attention) == ("rmsnorm", "rope", True, "gqa")
    assert got.activation == "silu"
    assert not any((got.moe, got.recurrent, got.qk_norm, got.sliding))


@pytest.mark.parametrize(
    ("change", "feature", "value"),
    [
        ({"self.input_layernorm = NewRMSNorm": "self.input_layernorm = nn.LayerNorm"}, "norm", "layernorm"),
        ({"apply_rotary_pos_emb(q, k))": "q)"}, "position", "none"),
        ({"self.act_fn(self.gate_proj(x)) * self.up_proj(x)": "self.act_fn(x)", "gate_proj": "fc"}, "gated", False),
        ({"num_key_value_heads": "num_attention_heads"}, "attention", "mha"),
        ({"self.num_key_value_heads = config.num_key_value_heads": "self.kv_lora_rank = 3"}, "attention", "mla"),
        ({"return softmax(": "return ("}, "attention", "none"),
        ({"self.self_attn = ": "self.mixer = NewMambaMixer(config)\n        self.self_attn = ",
          "class NewLayer": "class NewMambaMixer:\n    A_log = 1\nclass NewLayer"}, "recurrent", True),
        ({"self.num_key_value_heads = ": "self.q_norm = NewRMSNorm(1)\n        self.num_key_value_heads = "}, "qk_norm", True),
    ],
)  # fmt: skip
def test_each_feature_follows_the_code(change, feature, value):
    text = LLAMA_LIKE
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    assert getattr(read(text), feature) == value


def test_activation_and_window_follow_the_settings():
    assert read(settings=SETTINGS.replace("silu", "gelu_new")).activation == "gelu"
    windowed = LLAMA_LIKE.replace("return softmax(", "return self.sliding_window(")
    settings = SETTINGS.replace("hidden_size=8", "hidden_size=8, sliding_window=4")
    assert read(windowed, settings).sliding
    assert not read(windowed).sliding  # no setting keeps it


def test_decorators_and_comments_do_not_count():
    plain = LLAMA_LIKE.replace("apply_rotary_pos_emb(q, k))", "q)")
    marked = plain.replace("class NewAttention", "@use(apply_rotary_pos_emb)\nclass NewAttention")
    assert read(marked + "\n# rotary").position == "none"


def test_code_that_is_imported_from_another_model_is_read():
    text = LLAMA_LIKE.replace("class NewMLP(nn.Module):", "class Unused:", 1)
    text = "from ..old.modeling_old import OldMLP as OldMLP\n" + text.replace(
        "NewMLP(config)", "OldMLP(config)"
    )
    other = "class OldMLP:\n    def forward(self, x):\n        return silu(x) * self.up(x)\n"
    assert read(text, imported=lambda module: other if module == "old.modeling_old" else "").gated
    assert not read(text).gated


def test_definitions_under_a_condition_are_reached():
    text = "class A:\n    part = B()\nif there():\n    x = 1\nelse:\n    class B: pass\n"
    assert set(Code.reached_from(text, "A").nodes) == {"A", "B"}


def test_lineage():
    text = "from ..llama.modeling_llama import LlamaMLP\nfrom ..auto import AutoModel\n"
    assert parents(text + "class A(LlamaMLP): pass\nclass B(AutoModel): pass\nclass C(A): pass", own="a") == [
        "llama"
    ]
    assert copied_from("# Copied from transformers.models.a.modeling_a.X", own="a") == []
    assert roots({"a": "b", "b": "a", "c": "b"}) == {"a": "a", "b": "a", "c": "a"}
    assert ancestors("c", {"c": ["b"], "b": ["a", "x"], "a": []}) == {"a", "b", "x"}


def wheel(folder, version, files, package="transformers"):
    path = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as out:
        for name, text in files.items():
            out.writestr(zipfile.ZipInfo(name, (2025, 3, int(version[0]), 0, 0, 0)), text)
    return path


def library(*, kind="", modular=""):
    names = 'MODEL_FOR_CAUSAL_LM_MAPPING_NAMES = OrderedDict([("new", "NewForCausalLM")])\n'
    base = "transformers/models/new/"
    files = {
        "transformers/models/auto/modeling_auto.py": names + kind,
        base + "modeling_new.py": LLAMA_LIKE,
        base + "configuration_new.py": SETTINGS,
    }
    return files | ({base + "modular_new.py": modular} if modular else {})


def test_a_library_of_two_releases(tmp_path):
    wheel(tmp_path, "1.0.0", {"transformers/models/auto/modeling_auto.py": "x = 1\n"})
    wheel(tmp_path, "2.0.0", library())
    later = {name: text.replace("nn.ModuleList", "nn.ModuleList") for name, text in library().items()}
    later["transformers/models/new/modeling_new.py"] = LLAMA_LIKE.replace(
        "self.num_key_value_heads = ", "self.q_norm = NewRMSNorm(1)\n        self.num_key_value_heads = "
    )
    wheel(tmp_path, "3.0.0", later)
    [row] = architectures_in(wheels_in(tmp_path, "transformers"), {"new": {"lab": "Lab"}})
    assert (row["name"], row["first_release"], row["last_release"]) == ("new", "2.0.0", "3.0.0")
    assert (row["first_seen"], row["kind"], row["lab"]) == ("2025-03-02", "text", "Lab")
    assert (row["qk_norm"], row["changed"], row["root"]) == ("no", "qk_norm=yes", "new")
    assert set(row) >= set(COLUMNS)


def test_kinds(tmp_path):
    masked = 'MODEL_FOR_MASKED_LM_MAPPING_NAMES = OrderedDict([("new", "X")])\n'
    both = 'MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES = OrderedDict([("new", "X")])\n'
    images = library() | {"transformers/models/new/image_processing_new.py": ""}
    told = [library(kind=masked), library(kind=both), images]
    for number, (files, kind) in enumerate(
        zip(told, ("encoder", "encoder-decoder", "multimodal"), strict=True)
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        wheel(folder, "2.0.0", files)
        [row] = architectures_in(wheels_in(folder, "transformers"), {})
        assert row["kind"] == kind


def test_files_by_framework(tmp_path):
    files = dict.fromkeys(
        (
            "transformers/modeling_utils.py",
            "transformers/models/a/modeling_a.py",
            "transformers/models/a/modeling_tf_a.py",
            "transformers/models/a/modeling_flax_a.py",
            "transformers/models/b/modeling_b.py",
        ),
        "",
    )
    [row] = frameworks_in([Wheel.at(wheel(tmp_path, "2.0.0", files))])
    assert (row["pytorch"], row["tensorflow"], row["flax"]) == ("2", "1", "1")


def test_routers(tmp_path):
    prices = (
        '{"a": {"mode": "chat", "litellm_provider": "one", "supports_function_calling": true},'
        ' "b": {"mode": "chat", "litellm_provider": "openai"}, "c": {"mode": "chat", "litellm_provider": "vertex_ai-x"},'
        ' "d": {"mode": "embedding", "litellm_provider": "two"}}'
    )
    files = {
        "litellm/constants.py": 'openai_compatible_providers: list = ["one"]\n',
        "litellm/model_prices_and_context_window_backup.json": prices,
    }
    path = wheel(tmp_path, "1.0.0", files, package="litellm")
    [row] = interfaces_in([Wheel.at(path)])
    # one and openai of one, openai and vertex_ai
    assert (row["chat_models"], row["chat_providers"], row["compatible_providers"]) == ("3", "3", "2")
    assert row["function_calling_models"] == "1"
    assert interfaces_in([Wheel.at(wheel(tmp_path, "2.0.0", {"x": ""}, package="litellm"))]) == []


def test_wheels_are_ordered_and_refused(tmp_path):
    assert order_of("5.0.0rc3") < order_of("5.0.0") < order_of("5.10.1")
    with pytest.raises(InputError, match="must hold wheels of transformers"):
        wheels_in(tmp_path, "transformers")
    with pytest.raises(InputError, match="a wheel is named"):
        Wheel.at(tmp_path / "x.txt")


def test_the_shipped_table_is_sound():
    table = architectures()
    assert len(table) == 183
    assert len(set(table.name)) == len(table)
    assert set(table.period) == set(PERIODS)
    assert list(table.first_seen) == sorted(table.first_seen)
    assert table.codes(CORE).shape == (183, 4)
    words = {
        "norm": {"rmsnorm", "layernorm", "none"},
        "position": {"rope", "alibi", "relative", "learned", "sinusoidal", "none"},
        "attention": {"mla", "gqa", "mha", "none"},
        "activation": {"silu", "gelu", "relu2", "relu", "other"},
    }
    for name in FEATURES:
        assert set(table.feature(name)) <= words.get(name, {"yes", "no"})
    with pytest.raises(InputError, match="the features are"):
        table.feature("colour")
    with pytest.raises(ValueError, match="read-only"):
        table.name[0] = "x"
    for name in ("architectures", "frameworks", "interfaces", "templates", "gold", "wheels"):
        assert (HERE / f"{name}.csv").stat().st_size < 60_000


def test_known_facts():
    table = architectures()
    at = {name: row for row, name in enumerate(table.name)}
    llama = table.features[at["llama"]].tolist()
    assert llama[:5] == ["rmsnorm", "rope", "yes", "mha", "silu"]  # its first version had as many key heads
    assert "attention=gqa" in table.changed[at["llama"]]
    assert table.feature("attention")[at["deepseek_v3"]] == "mla"
    assert table.feature("position")[at["bloom"]] == "alibi"
    assert table.feature("recurrent")[at["mamba"]] == "yes"
    assert table.parents[at["mistral"]] == ("llama",)
    assert table.descends_from("llama")[at["mixtral"]]
    assert not table.descends_from("llama")[at["gpt2"]]


def test_a_parent_is_never_younger_than_its_child():
    table = architectures()
    seen = dict(zip(table.name, table.first_seen, strict=True))
    for name, given in zip(table.name, table.parents, strict=True):
        assert all(seen.get(one, "9") <= seen[name] for one in given)


def test_other_tables():
    files = frameworks()
    assert (files["tensorflow"][-1], files["flax"][-1]) == (0, 0)
    assert files["pytorch"][-1] > 500
    served = interfaces()
    assert (served["compatible_providers"] <= served["chat_providers"]).all()
    assert templates()["template"].size == 42
    assert (templates()["tokens"] == "chatml").sum() == 1


def test_provenance_names_every_wheel():
    with (HERE / "wheels.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == len(frameworks()["release"]) == 104
    assert all(len(row["sha256"]) == 64 for row in rows)
    told = provenance()["tables"]
    assert set(told["interfaces"]["sha256"]) == set(interfaces()["release"])
    assert digest("architectures") != digest("frameworks")


def test_the_extractor_is_right_where_it_was_checked():
    labels = gold()
    for one in ("mending", "fresh"):
        assert np.unique(labels["name"][labels["round"] == one]).size >= 12
    assert (labels["round"] == "fresh").sum() >= 60
    table = extraction_accuracy(("fresh",))
    # all 126 labels of the fresh draw agree: the lower ends say how little that proves where n is small
    assert table.value.min() == 1
    assert table.one(feature="norm", value="rmsnorm", measure="precision").low > 0.65
    assert table.one(feature="recurrent", value="yes", measure="recall").n == 2
    assert len(extraction_accuracy(("mending", "fresh"))) > len(table)
