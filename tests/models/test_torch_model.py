"""Are scores, hidden states and derivatives those of the model itself?"""

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.core.replies import Draw, Message
from limitset.core.streams import Streams
from limitset.models.torch_model import TorchModel


def test_logprobs_against_the_chain_rule(torch_llama):
    scores = torch_llama.logprobs("the", " cat")
    ids = torch_llama.tokens("the")
    for token, score in zip(torch_llama.tokens(" cat"), scores, strict=True):
        with torch.no_grad():
            logits = torch_llama.torch_module(torch.tensor([ids])).logits[0, -1]
        assert score == pytest.approx(float(torch.log_softmax(logits, -1)[token]), abs=1e-5)
        ids = [*ids, token]
    assert not scores.flags.writeable
    with pytest.raises(InputError, match="continuation must hold a token"):
        torch_llama.logprobs("the", "")


def test_hidden_states(torch_llama):
    first, second = torch_llama.hidden_states(["the cat", "a"])
    assert (first.shape, second.shape) == ((4, 7, 32), (4, 1, 32))
    embedded = torch_llama.embeddings("the cat").numpy()
    np.testing.assert_array_equal(first[0], embedded)
    # the last layer, through the head, gives the logits
    head = torch_llama.torch_module.lm_head.weight.numpy()
    logits = torch_llama.next_token_logits(torch.tensor(embedded)).numpy()
    np.testing.assert_allclose(head @ first[-1][-1], logits, atol=1e-5)


@pytest.mark.parametrize("which", ["torch_llama", "torch_gemma"])
def test_jvp_against_finite_differences(which, request):
    model = request.getfixturevalue(which)
    model = TorchModel(
        type(model.torch_module)(model.torch_module.config).double(), model.tokenizer, name="d", identity="d"
    )
    rng = np.random.default_rng(0)
    point = model.embeddings("the cat")
    tangent = rng.normal(size=tuple(point.shape))
    value, slope = model.next_token_jvp("the cat", tangent)
    # the norms compute in float32 whatever the weights are: a step of 1e-3 leaves a rounding of about 1e-4
    step = 1e-3 * torch.as_tensor(tangent)
    with torch.no_grad():
        ahead = model.next_token_logits(point + step)
        behind = model.next_token_logits(point - step)
        at = model.next_token_logits(point)
    numeric = ((ahead - behind) / 2e-3).numpy()
    assert np.linalg.norm(slope - numeric) < 1e-2 * np.linalg.norm(numeric)
    np.testing.assert_allclose(value, at.numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match=r"tangent must have the shape \(7, 32\)"):
        model.next_token_jvp("the cat", tangent[1:])


def request(model, prompt, max_tokens=4):
    return model.generate(
        [prompt], rows=["r"], draws=[Draw(0, 0.0)], max_tokens=max_tokens, top_p=1.0, stop=(), rng=Streams(0)
    )


def test_conversation_needs_a_template(torch_llama):
    with pytest.raises(InputError, match="base model and continues plain text; got a conversation"):
        request(torch_llama, (Message("user", "hi"),))


def test_conversation_through_the_template(llama, letters):
    import copy

    chat = copy.deepcopy(letters)
    chat.chat_template = (
        "{% for m in messages %}{{ m.content }}.{% endfor %}{% if add_generation_prompt %}a{% endif %}"
    )
    model = TorchModel(llama, chat, name="c", identity="c")
    conversation = (Message("user", "hi"), Message("assistant", "yo"))
    assert model.tokens(conversation[:1]) == model.tokens("hi.a")
    assert model.tokens(conversation) == model.tokens("hi.yo")


def test_empty_and_too_long_prompts(torch_llama):
    assert torch_llama.tokens("") == [0]
    with pytest.raises(InputError, match="must stay within 256 tokens; got 304"):
        request(torch_llama, "a" * 300)


def test_a_model_that_ignores_the_mask_is_refused(letters):
    from transformers import LlamaForCausalLM

    from .conftest import tiny_llama

    class Deaf(LlamaForCausalLM):
        def forward(self, *args, attention_mask=None, **options):
            return super().forward(*args, **options)

    deaf = Deaf(tiny_llama().config)
    with pytest.raises(InputError, match="must follow the mask it is given; got llama, whose logits move by"):
        TorchModel(deaf, letters, name="d", identity="d")


def test_gpt2_works(letters):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=44, n_positions=64, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=1
    )
    model = TorchModel(GPT2LMHeadModel(config), letters, name="g", identity="g")
    assert request(model, "the cat")[0][0].tokens >= 1
