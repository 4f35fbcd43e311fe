"""Does a looped block call its layers exactly as the model does, and can it be differentiated?"""

import pytest
import torch

from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.maps.latent import BlockMap
from limitset.numerics.vector_map import VectorMap
from limitset.testing import check_map
from maps.latent_models import tiny_gemma, tiny_gpt2, tiny_llama

ROWS, RNG = [0, 1, 2], Streams(0)
IDS = torch.randint(3, 40, (3, 10), generator=torch.Generator().manual_seed(0))
MODELS = {
    "llama": tiny_llama,
    "llama eager": lambda: tiny_llama("eager"),
    "gemma, sliding": tiny_gemma,
    "gpt2": tiny_gpt2,
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return MODELS[request.param]()


@pytest.fixture(scope="module")
def llama():
    return tiny_llama()


def test_one_step_is_what_the_model_itself_does(model):
    with torch.no_grad():
        wanted = model(IDS, output_hidden_states=True, use_cache=False)
    block = BlockMap(model, 1, 2, IDS)
    starts = block.start(ROWS)
    assert torch.allclose(starts, wanted.hidden_states[1], atol=1e-6)
    images = block.step(starts, rows=ROWS, rng=RNG)
    assert torch.allclose(images, wanted.hidden_states[3], atol=1e-4)
    assert not images.requires_grad
    assert torch.equal(block.next_tokens(images, rows=ROWS), wanted.logits[:, -1].argmax(-1))
    assert torch.equal(block.next_tokens(images[2:], rows=[2]), wanted.logits[2:, -1].argmax(-1))
    additive = BlockMap(model, 1, 2, IDS, injection="additive")
    assert not additive.start(ROWS).any()
    assert torch.allclose(additive.step(additive.start(ROWS), rows=ROWS, rng=RNG), images, atol=1e-5)


def test_one_layer_and_the_last_layer_can_be_looped(llama):
    with torch.no_grad():
        wanted = llama(IDS, output_hidden_states=True, use_cache=False)
    block = BlockMap(llama, 3, 3, IDS)
    images = block.step(block.start(ROWS), rows=ROWS, rng=RNG)
    assert torch.equal(block.next_tokens(images, rows=ROWS), wanted.logits[:, -1].argmax(-1))


def test_the_contract_of_maps_and_training_mode(model):
    block = BlockMap(model, 1, 2, IDS, norm="rms")
    check_map(block, block.start(ROWS), tolerance=1e-4)
    model.train()
    try:
        again = BlockMap(model, 1, 2, IDS, norm="rms")
        assert torch.equal(
            again.step(block.start(ROWS), rows=ROWS, rng=RNG),
            block.step(block.start(ROWS), rows=ROWS, rng=RNG),
        )
        assert model.training
    finally:
        model.eval()


def test_later_tokens_change_nothing_before_them(model):
    other = IDS.clone()
    other[:, -1] = 3 + (other[:, -1] - 2) % 37
    one, two = (BlockMap(model, 0, 2, ids, injection="additive", norm="rms") for ids in (IDS, other))
    states, moved = one.start(ROWS), two.start(ROWS)
    for _ in range(3):
        states, moved = one.step(states, rows=ROWS, rng=RNG), two.step(moved, rows=ROWS, rng=RNG)
    assert torch.allclose(states[:, :-1], moved[:, :-1], atol=1e-5)
    assert not torch.allclose(states[:, -1], moved[:, -1], atol=1e-2)


def test_rms_keeps_the_norm_of_every_token_and_nothing_else_does(llama):
    held, free = BlockMap(llama, 1, 2, IDS, norm="rms"), BlockMap(llama, 1, 2, IDS)
    states = loose = held.start(ROWS)
    for _ in range(5):
        states, loose = held.step(states, rows=ROWS, rng=RNG), free.step(loose, rows=ROWS, rng=RNG)
    start = held.entering.norm(dim=-1)
    assert torch.allclose(states.norm(dim=-1), start, rtol=1e-5)
    # a pre-norm residual loop without one only grows
    assert (loose.norm(dim=-1) > 2 * start).float().mean() > 0.5
    additive = BlockMap(llama, 1, 2, IDS, injection="additive", norm="rms")
    assert not torch.allclose(
        additive.step(states, rows=ROWS, rng=RNG), held.step(states, rows=ROWS, rng=RNG), atol=1e-2
    )


def test_forward_derivatives_are_those_of_differences(model):
    block = BlockMap(model, 1, 2, IDS, injection="additive", norm="rms")
    starts = block.step(block.start(ROWS), rows=ROWS, rng=RNG)
    f = VectorMap.of(block, starts)
    x = f.flat(starts)
    torch.manual_seed(0)
    direction = torch.nn.functional.normalize(torch.randn_like(x), dim=1)
    product = f.jvp(x, ROWS, direction)
    step = 2e-3
    difference = (f(x + step * direction, ROWS) - f(x - step * direction, ROWS)) / (2 * step)
    assert torch.allclose(product, difference, atol=2e-2 * product.abs().max())
    dual = torch.randn_like(x)
    pulled = f.vjp(x, ROWS, dual)
    assert torch.allclose((pulled * direction).sum(1), (dual * product).sum(1), rtol=1e-3, atol=1e-3)


def test_the_sink_is_left_out_and_its_spectrum_is_its_own(llama):
    ids = IDS[:1, :3]
    block = BlockMap(llama, 1, 1, ids, injection="additive", norm="rms")
    states = block.step(block.start([0]), rows=[0], rng=RNG)
    assert torch.equal(block.measured(states), states[:, 1:])
    beside = block.beside_sink(states)
    rest = block.measured(states)
    assert torch.allclose(
        beside.step(rest, rows=[0], rng=RNG), block.step(states, rows=[0], rng=RNG)[:, 1:], atol=1e-6
    )
    # causal attention: the Jacobian is block triangular, so the spectrum splits
    whole, part = VectorMap.of(block, states), VectorMap.of(beside, rest)
    full = whole.jacobian(whole.flat(states), [0])[0]
    others = part.jacobian(part.flat(rest), [0])[0]
    width = states.shape[-1]
    assert torch.allclose(full[width:, width:], others, atol=1e-5)
    assert full[:width, width:].abs().max() < 1e-6


@pytest.mark.parametrize(
    ("layers", "ids", "options", "words"),
    [
        ((2, 1), IDS, {}, "first <= last <= 3"),
        ((0, 4), IDS, {}, "got 0 and 4"),
        ((0, 1), IDS[0], {}, r"whole numbers \(n, t\)"),
        ((0, 1), IDS.float(), {}, "of torch.float32"),
        ((0, 1), IDS, {"injection": "gated"}, "injection must be none or additive; got gated"),
        ((0, 1), IDS, {"norm": "post"}, "norm must be none or rms; got post"),
    ],
)
def test_errors_say_what_to_do(llama, layers, ids, options, words):
    with pytest.raises(InputError, match=words):
        BlockMap(llama, *layers, ids, **options)


def test_a_model_without_layers_is_refused():
    with pytest.raises(InputError, match="layers, h, blocks; got Linear"):
        BlockMap(torch.nn.Linear(2, 2), 0, 0, IDS)
