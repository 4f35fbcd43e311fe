"""Is every way of naming a model found, and is every model that cannot be opened one clear sentence?"""

import json
import subprocess
import sys

import pytest

from limitset.core.errors import DependencyError, InputError
from limitset.core.provenance import sha256_of
from limitset.core.replies import Draw
from limitset.core.streams import Streams
from limitset.models.opening import open_model, resolve

REQUEST = {
    "rows": ["r"],
    "draws": [Draw(0, 0.0)],
    "max_tokens": 4,
    "top_p": 1.0,
    "stop": (),
    "rng": Streams(0),
}


def test_folder(tiny_folder, torch_llama):
    source = resolve(str(tiny_folder))
    assert (source.name, source.kind, source.style) == ("tiny", "folder", "few_shot")
    assert f"sha256:{sha256_of(tiny_folder / 'model.safetensors')}" in source.identity
    model = open_model(str(tiny_folder), device="cpu")
    assert model.identity.startswith(source.identity)
    assert "float32" in model.identity
    assert model.generate(["the cat"], **REQUEST) == torch_llama.generate(["the cat"], **REQUEST)


def test_chat_template_makes_it_a_chat_model(tiny_folder):
    before = resolve(str(tiny_folder)).identity
    (tiny_folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    assert resolve(str(tiny_folder)).style == "chat"
    assert resolve(str(tiny_folder)).identity != before


def test_dtype_and_device(tiny_folder):
    model = open_model(str(tiny_folder), device="cpu", dtype="bfloat16")
    assert "bfloat16" in model.identity
    assert str(model.torch_module.dtype) == "torch.bfloat16"
    with pytest.raises(InputError, match=r"device must be there and hold the model; got cuda:7"):
        open_model(str(tiny_folder), device="cuda:7")


def test_weights_changed_change_the_identity(tiny_folder):
    before = resolve(str(tiny_folder)).identity
    path = tiny_folder / "model.safetensors"
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.write_bytes(body)
    assert resolve(str(tiny_folder)).identity != before


@pytest.mark.parametrize("keep", [0, 1000, -100])
def test_cut_weights_are_refused_before_torch_reads_them(tiny_folder, keep):
    path = tiny_folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"model\.safetensors must be a whole safetensors file"):
        resolve(str(tiny_folder))


def test_missing_tensor(tiny_folder):
    from safetensors.torch import load_file, save_file

    path = tiny_folder / "model.safetensors"
    state = load_file(path)
    state.pop("model.layers.1.mlp.up_proj.weight")
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"must hold every tensor.*got no usable model\.layers\.1"):
        open_model(str(tiny_folder), device="cpu")


def test_folder_without_weights(tmp_path):
    with pytest.raises(InputError, match=r"must hold config\.json and weights.*got no config"):
        resolve(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="got no weights"):
        resolve(str(tmp_path))


def test_packaged_but_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path))
    with pytest.raises(DependencyError, match="Run `limitset models get smollm2-135m-instruct`"):
        open_model("smollm2-135m-instruct")
    with pytest.raises(DependencyError, match="get gemma-3-270m --accept-licence"):
        resolve("gemma-3-270m")


def test_unknown_name():
    with pytest.raises(InputError, match="Did you mean smollm2-135m-instruct"):
        resolve("smollm2")


@pytest.fixture
def hub(tmp_path, tiny_folder, monkeypatch):
    """A local hub cache with one model in it, laid out as the hub's own client does."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    commit = "c" * 40
    repository = cache / "models--someone--tiny"
    snapshot = repository / "snapshots" / commit
    snapshot.parent.mkdir(parents=True)
    tiny_folder.rename(snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return cache


def test_hub_id_in_the_local_cache(hub):
    source = resolve("someone/tiny")
    assert (source.kind, source.name) == ("hub", "someone/tiny")
    assert open_model("someone/tiny", device="cpu").name == "someone/tiny"


def test_hub_id_out_of_reach(hub):
    with pytest.raises(
        DependencyError, match="someone/absent must be in the local hub cache, or the hub within"
    ):
        open_model("someone/absent")


def test_scripted(tmp_path):
    path = tmp_path / "toy.json"
    path.write_text(json.dumps({"name": "toy", "style": "few_shot", "replies": {"cat": "meow"}}))
    source = resolve(f"scripted:{path}")
    assert (source.name, source.kind, source.style) == ("toy", "scripted", "few_shot")
    model = open_model(f"scripted:{path}")
    assert model.identity == source.identity
    assert model.generate(["the cat"], **REQUEST)[0][0].text == "meow"


def test_resolving_and_scripts_load_no_torch(tmp_path):
    path = tmp_path / "toy.json"
    path.write_text('{"replies": {}}')
    code = (
        "import sys; from limitset.models import open_model, resolve;"
        f"resolve('scripted:{path}'); open_model('scripted:{path}');"
        "print(sorted({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
