"""Do the packaged models reply as transformers' own generate does, and know a capital or two?"""

import pytest
import torch

from limitset.core.replies import Draw, Message
from limitset.core.streams import Streams
from limitset.models import sampling
from limitset.models.opening import resolve
from limitset.models.token_tree import TokenTree

SMOLLM2, GEMMA = "smollm2-135m-instruct", "gemma-3-270m"
CITIES = {"France": "Paris", "Japan": "Tokyo", "Kenya": "Nairobi", "Peru": "Lima"}
FEW = "Question: What is the capital of Italy?\nAnswer: Rome\n\nQuestion: What is the capital of {}?\nAnswer:"

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]


def prompts_for(name):
    # SmolLM2 has a chat template: this is where conversations are tried on real weights
    if name == SMOLLM2:
        return [(Message("user", f"What is the capital of {country}?"),) for country in CITIES]
    return [FEW.format(country) for country in CITIES]


def drawn(model, prompts, draws, *, max_tokens=10, stop=("\n",)):
    return model.generate(
        prompts,
        rows=[str(row) for row in range(len(prompts))],
        draws=draws,
        max_tokens=max_tokens,
        top_p=0.95,
        stop=stop,
        rng=Streams(1),
    )


@pytest.mark.parametrize("name", [SMOLLM2, GEMMA])
def test_greedy_equals_generate_and_is_right(packaged_model, name):
    model = packaged_model(name)
    prompts = prompts_for(name)
    replies = drawn(model, prompts, [Draw(0, 0.0)], max_tokens=12, stop=())
    for prompt, (reply,), city in zip(prompts, replies, CITIES.values(), strict=True):
        ids = torch.tensor([model.tokens(prompt)])
        out = model.torch_module.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12
        )
        assert reply.text == model.tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)
        assert city in reply.text
        assert reply.margin > 0


@pytest.mark.parametrize("name", [SMOLLM2, GEMMA])
def test_groups_do_not_change_the_text(packaged_model, name, monkeypatch):
    # 4 prompts, 4 draws each: stated set of 16 replies, float32 on the processor
    model = packaged_model(name)
    draws = [Draw(0, 0.0), *(Draw(seed, 1.0) for seed in range(3))]
    whole = drawn(model, prompts_for(name), draws)
    again = drawn(model, prompts_for(name), draws)
    assert [[r.text for r in line] for line in whole] == [[r.text for r in line] for line in again]
    monkeypatch.setattr(sampling, "SLOTS", 64)
    split = drawn(model, prompts_for(name), draws)
    assert [[r.text for r in line] for line in whole] == [[r.text for r in line] for line in split]


def test_gemma_beyond_its_window_of_512(packaged_model):
    # two prompts of about 700 tokens that part after 600: the sliding layers see the last 512 only
    model = packaged_model(GEMMA)
    start = "The cat sat on the mat and looked at the moon. " * 52
    prompts = [start + "The cat was " * 30 + "very", start + "One, two, three, four, " * 10]
    ids = [model.tokens(prompt) for prompt in prompts]
    assert min(map(len, ids)) > 600
    tree = TokenTree(model.torch_module)
    laid = tree.logits([tree.add_path(one) for one in ids])
    with torch.inference_mode():
        for one, row in zip(ids, laid, strict=True):
            plain = model.torch_module(input_ids=torch.tensor([one]), logits_to_keep=1).logits[0, -1]
            torch.testing.assert_close(row, plain, atol=5e-3, rtol=1e-3)
    replies = drawn(model, prompts, [Draw(0, 0.0)], max_tokens=6, stop=())
    for one, (reply,) in zip(ids, replies, strict=True):
        batch = torch.tensor([one])
        out = model.torch_module.generate(
            batch, attention_mask=torch.ones_like(batch), do_sample=False, max_new_tokens=6
        )
        assert reply.text == model.tokenizer.decode(out[0, len(one) :], skip_special_tokens=True)


def test_digits_are_split_after_the_tokenizer_is_put_right(packaged_model):
    model = packaged_model(SMOLLM2)
    pieces = model.tokenizer.convert_ids_to_tokens(model.tokens("a   12"))
    assert pieces == ["a", "ĠĠĠ", "1", "2"]


@pytest.mark.parametrize(("name", "style"), [(SMOLLM2, "few_shot"), (GEMMA, "few_shot")])
def test_source(packaged_model, name, style):
    model = packaged_model(name)
    source = resolve(name)
    assert (source.kind, source.style) == ("packaged", style)
    assert source.attribution
    assert model.identity.startswith(source.identity)
    licence = "LICENSE" if name == SMOLLM2 else "GEMMA_TERMS.html"
    assert (source.path / licence).stat().st_size > 10_000


@pytest.mark.parametrize("name", [SMOLLM2, GEMMA])
def test_hidden_states_and_jvp(packaged_model, name):
    model = packaged_model(name)
    (states,) = model.hidden_states(["The capital of France is"])
    config = model.torch_module.config
    assert states.shape[::2] == (config.num_hidden_layers + 1, config.hidden_size)
    point = model.embeddings("The capital of France is")
    tangent = torch.randn(point.shape, generator=torch.Generator().manual_seed(0)).numpy()
    _, slope = model.next_token_jvp("The capital of France is", tangent)
    scale = 1e-2 * float(point.abs().mean())
    with torch.no_grad():
        step = scale * torch.as_tensor(tangent)
        ahead, behind = model.next_token_logits(point + step), model.next_token_logits(point - step)
    numeric = ((ahead - behind) / (2 * scale)).numpy()
    # float32 and a finite step: the direction agrees to a percent or so
    cosine = (numeric @ slope) / ((numeric @ numeric) * (slope @ slope)) ** 0.5
    assert cosine > 0.99
