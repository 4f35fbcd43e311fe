"""Does a greedy answer come back in another setting, and how often does a fresh draw differ from it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Shaped

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, share_or_bound
from limitset.core.levels import Level
from limitset.core.replies import LanguageModel, Reply
from limitset.core.results import Measurement, Scalar
from limitset.core.streams import Streams
from limitset.datasets.questions import QuestionSet, Style
from limitset.models.opening import Precision, open_model, resolve
from limitset.studies.asking import GREEDY, classified

STUDY: Final = "fresh_draws"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a greedy answer is computed.

    Parameters
    ----------
    threads
        Threads of the arithmetic.
    batch
        Questions computed together.
    order
        Seed of the order in which they are asked; -1 for the order of the set.
    precision
        Of the weights.
    noise
        Standard deviation of what is added to every logit: 0, or a planted effect.
    """

    threads: int = 1
    batch: int = 16
    order: int = -1
    precision: Precision = "float32"
    noise: float = 0.0

    @property
    def words(self) -> str:
        """The setting in words."""
        order = ", shuffled" if self.order >= 0 else ""
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return f"{threads}, batches of {self.batch}{order}, {self.precision}"


def said(texts: Sequence[str], ends: Sequence[str | None]) -> Shaped[np.ndarray, " n"]:
    """Return what each reply says: its answer class, or its very text where it gives no answer.

    Examples
    --------
    >>> said(["Sydney!", "I cannot say.", ""], ["Sydney", None, None]).tolist()
    ['Sydney', 'no answer: I cannot say.', 'no answer: ']
    """
    told = [f"no answer: {text}" if end is None else end for text, end in zip(texts, ends, strict=True)]
    return np.array(told, dtype=object)


def greedy_replies(
    spec: str, questions: QuestionSet, setting: Setting, *, seed: int = 0
) -> dict[str, tuple[Reply, str | None]]:
    """Ask every question greedily in a setting; the number of threads is put back afterwards.

    Parameters
    ----------
    spec
        Name of a model.
    questions
        What is asked, in its first wording.
    setting
        How it is computed.
    seed
        Of planted noise.

    Returns
    -------
    dict
        Question to its reply and answer class.
    """
    model, style = open_model(spec, dtype=setting.precision), resolve(spec).style
    items = list(questions.questions)
    if setting.order >= 0:
        items = [items[at] for at in np.random.default_rng(setting.order).permutation(len(items))]
    found: dict[str, tuple[Reply, str | None]] = {}
    with _Threads(setting.threads), _Noise(model, setting.noise, seed):
        for first in range(0, len(items), setting.batch):
            batch = items[first : first + setting.batch]
            for item, reply in zip(batch, _asked(model, batch, questions, style), strict=True):
                found[item] = reply, classified(reply.text, item, questions).end
    return {item: found[item] for item in questions.questions}


def flip_share(
    by_setting: Shaped[np.ndarray, "settings q"], *, confidence: float = 0.95, name: str = "flip_share"
) -> Measurement:
    """Chance that two different settings give different answers to a question.

    Parameters
    ----------
    by_setting : (settings, q)
        What was said, as `said` returns it.
    confidence
        Coverage aimed at, in (0, 1).
    name
        Under which name it is measured.

    Returns
    -------
    Measurement
        In [0, 1], blank with an upper bound where hardly any question flips.

    Examples
    --------
    >>> flip_share(np.array([["a", "b"] * 200, ["a", "b"] * 200], dtype=object)).high < 0.01
    True
    """
    codes = _codes(by_setting)
    settings = codes.shape[0]
    if settings < 2:
        return measured(name, Interval.blank("one setting, or one greedy reply a question"), confidence)
    pairs = [codes[a] != codes[b] for a in range(settings) for b in range(a)]
    return _share(name, np.mean(pairs, axis=0), confidence)


def fresh_differs(
    greedy: Shaped[np.ndarray, " q"],
    draws: Shaped[np.ndarray, "q draws"],
    *,
    confidence: float = 0.95,
    name: str = "fresh_differs",
) -> Measurement:
    """Chance that a fresh draw says something else than the greedy reply to the same question.

    Parameters
    ----------
    greedy : (q,)
        What the greedy reply says.
    draws : (q, draws)
        What each draw says; None for a draw that is not there.
    confidence
        Coverage aimed at, in (0, 1).
    name
        Under which name it is measured.

    Returns
    -------
    Measurement
        In [0, 1].

    Examples
    --------
    >>> rng, p = np.random.default_rng(0), np.random.default_rng(1).random(2000)
    >>> draws = np.where(rng.random((2000, 8)) < p[:, None], "a", "b").astype(object)
    >>> got = fresh_differs(np.where(p > 0.5, "a", "b").astype(object), draws)
    >>> got.low < 0.25 < got.high  # the mean of min(p, 1 - p)
    True
    """
    there = np.array([[one is not None for one in row] for row in draws], dtype=bool).reshape(draws.shape)
    some = there.any(axis=1)
    other = (draws != greedy[:, None]) & there
    share = other[some].sum(axis=1) / there[some].sum(axis=1)
    return _share(name, share.astype(np.float64), confidence)


def logged(ends: Ends) -> tuple[np.ndarray, np.ndarray]:
    """Return the greedy replies (repeats, cells) and the draws (cells, draws) that a file holds.

    A cell is a question, system and wording with a greedy reply; greedy is what says so or has temperature 0.

    Raises
    ------
    InputError
        When no reply is greedy, or no cell of a greedy reply has a draw or a second greedy reply.

    Examples
    --------
    >>> ends = Ends.of(item="q", system="m", temperature=[0, 0, 0.7], end=["a", "a", "b"], seed=[0, 1, 2])
    >>> [part.tolist() for part in logged(ends)]
    [[['a'], ['a']], [['b']]]
    """
    greedy = (ends.numbers("greedy") == 1) | (ends.numbers("temperature") == 0)
    text = [one or "" for one in ends.texts("text")]
    told = said(text, [one or None for one in ends.texts("end")])
    cells: dict[tuple[Any, ...], tuple[list[str], list[str]]] = {}
    names = zip(*(ends.texts(name) for name in ("item", "system", "paraphrase")), strict=True)
    for cell, one, still in zip(names, told, greedy, strict=True):
        cells.setdefault(cell, ([], []))[0 if still else 1].append(one)
    kept = [one for one in cells.values() if one[0] and (one[1] or len(one[0]) > 1)]
    if not kept:
        raise InputError.of(
            expected="some question must have a greedy reply (temperature 0) and another reply of its model",
            got=f"{int(greedy.sum())} greedy replies of {len(ends)}",
            fix="Log temperature, and ask at 0 and above.",
        )
    repeats = min(len(one[0]) for one in kept)
    draws = np.full((len(kept), max(*(len(one[1]) for one in kept), 1)), None, dtype=object)
    for row, one in enumerate(kept):
        draws[row, : len(one[1])] = one[1]
    return np.array([one[0][:repeats] for one in kept], dtype=object).T, draws


def measured(name: str, got: Interval, confidence: float) -> Measurement:
    """Give an interval its name."""
    return Measurement(
        instrument=f"{STUDY}.{name}",
        version=VERSION,
        level=Level.ANSWER,
        value=got.value,
        low=got.low,
        high=got.high,
        n=got.n,
        interval_method="logit jackknife over questions, or one bound",
        confidence=confidence,
        blank_reason=got.blank_reason,
    )


def flipped(
    by_setting: Mapping[str, Mapping[str, tuple[Reply, str | None]]], questions: QuestionSet, *, most: int = 6
) -> tuple[dict[str, Scalar], ...]:
    """Return questions whose greedy answer changed with the setting, nearest ties first."""
    found: list[dict[str, Scalar]] = []
    names = list(by_setting)
    for item in questions.questions:
        replies = [by_setting[name][item] for name in names]
        told = said([one[0].text for one in replies], [one[1] for one in replies])
        other = next((at for at, one in enumerate(told) if one != told[0]), 0)
        if other:
            found.append(
                {
                    "question": questions.text(item),
                    "setting": names[0],
                    "reply": replies[0][0].text,
                    "other setting": names[other],
                    "other reply": replies[other][0].text,
                    "margin": round(replies[0][0].margin, 4),
                }
            )
    return tuple(sorted(found, key=lambda one: float(one["margin"]))[:most])


def _share(name: str, share: Float[np.ndarray, " q"], confidence: float) -> Measurement:
    return measured(name, share_or_bound(share, 1 - share, confidence=confidence), confidence)


def _codes(told: Shaped[np.ndarray, "settings q"]) -> np.ndarray:
    return np.unique(told.astype(str), return_inverse=True)[1].reshape(told.shape)


def _asked(model: LanguageModel, items: list[str], questions: QuestionSet, style: Style) -> list[Reply]:
    replies = model.generate(
        [questions.prompt(item, wording=0, style=style) for item in items],
        rows=items,
        draws=[GREEDY],
        max_tokens=16,
        top_p=1.0,
        stop=questions.stop(style),
        rng=Streams(0),
    )
    return [one[0] for one in replies]


class _Threads:
    """Arithmetic with so many threads, and as many as before afterwards."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> None:
        import torch

        self._before = torch.get_num_threads()
        torch.set_num_threads(self._count)

    def __exit__(self, *_: object) -> None:
        import torch

        torch.set_num_threads(self._before)


class _Noise:
    """Noise on every logit of a torch model."""

    def __init__(self, model: LanguageModel, scale: float, seed: int) -> None:
        self._module = getattr(model, "torch_module", None) if scale else None
        self._scale, self._seed = scale, seed

    def __enter__(self) -> None:
        if self._module is None:
            return
        import torch

        source = torch.Generator().manual_seed(self._seed)

        def noisy(_module: Any, _inputs: Any, output: Any) -> Any:
            drawn = torch.randn(output.logits.shape, generator=source).to(output.logits)
            output.logits = output.logits + self._scale * drawn
            return output

        self._hook = self._module.register_forward_hook(noisy)

    def __exit__(self, *_: object) -> None:
        if self._module is not None:
            self._hook.remove()
