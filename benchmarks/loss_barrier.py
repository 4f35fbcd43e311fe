"""What does a loss barrier with its interval cost beside loading each mixed net into a module, at one value?

Run: OMP_NUM_THREADS=1 python benchmarks/loss_barrier.py [hidden examples]...
"""

import copy
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch

from limitset.instruments.weights import loss_barrier, matched_barrier

torch.set_num_threads(1)
UNITS = {"incoming": ["0.weight", "0.bias"], "outgoing": ["2.weight"]}


def nets(hidden):
    """Two nets of one function but for noise, the second with its units shuffled."""
    torch.manual_seed(0)
    first = torch.nn.Sequential(torch.nn.Linear(784, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 10))
    second, order = copy.deepcopy(first), torch.randperm(hidden)
    with torch.no_grad():
        for tensor in second.parameters():
            tensor.add_(0.01 * torch.randn_like(tensor))
        second[0].weight.copy_(second[0].weight[order])
        second[0].bias.copy_(second[0].bias[order])
        second[2].weight.copy_(second[2].weight[:, order])
    return first, second


def data(first, examples):
    inputs = torch.randn(examples, 784, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return inputs, first(inputs).argmax(dim=1)


def by_loading(first, second, inputs, labels):
    """Mix and load a state dict for every place, as scripts do it; no interval."""
    net, a, b = copy.deepcopy(first), first.state_dict(), second.state_dict()
    losses, places = [], np.linspace(0, 1, 11)
    with torch.no_grad():
        for place in places:
            net.load_state_dict({name: (1 - place) * a[name] + place * b[name] for name in a})
            losses.append(float(torch.nn.functional.cross_entropy(net(inputs).double(), labels)))
    line = (1 - places) * losses[0] + places * losses[-1]
    return float((np.array(losses) - line).max())


def of(first, inputs, labels):
    def loss(weights):
        answers = torch.func.functional_call(first, dict(weights), (inputs,)).double()
        return torch.nn.functional.cross_entropy(answers, labels, reduction="none")

    return loss


def ours(first, second, inputs, labels):
    weights = dict(first.named_parameters()), dict(second.named_parameters())
    return loss_barrier(*weights, of(first, inputs, labels)).barrier.value


def matched(first, second, inputs, labels):
    weights = dict(first.named_parameters()), dict(second.named_parameters())
    found = matched_barrier(*weights, of(first, inputs, labels), **UNITS)
    if not found.after.barrier.value < found.before.barrier.value / 10:
        raise SystemExit("matching did not take the barrier away")
    return found.before.barrier.value


WAYS = {"loading": by_loading, "ours": ours, "matched": matched}


def measured(name, hidden, examples):
    """Value, median of five processor times and rise of the peak of memory, in a process of its own."""
    first, second = nets(hidden)
    work = (first, second, *data(first, examples))
    measure = WAYS[name]
    measure(*nets(hidden), *data(first, 50))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    value, times = 0.0, []
    for _ in range(5):
        start = time.process_time()
        value = measure(*work)
        times.append(time.process_time() - start)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return value, statistics.median(times), (after - before) / 1024


def main(sizes):
    print(
        "hidden examples | barrier | loading s   ours s  ratio  matched s | loading MB  ours MB  matched MB"
    )
    for hidden, examples in sizes:
        found = {}
        for name in WAYS:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                found[name] = pool.submit(measured, name, hidden, examples).result()
        value, seconds, memory = zip(*found.values(), strict=True)
        if max(value) - min(value) > 1e-6 * max(value):
            raise SystemExit(f"values differ: {value}")
        print(
            f"{hidden:6d} {examples:8d} | {value[1]:7.4f} | {seconds[0]:9.3f} {seconds[1]:8.3f} "
            f"{seconds[0] / seconds[1]:6.2f} {seconds[2]:10.3f} "
            f"| {memory[0]:10.0f} {memory[1]:8.0f} {memory[2]:11.0f}"
        )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(list(zip(numbers[::2], numbers[1::2], strict=True)) or [(128, 2000), (512, 2000)])
