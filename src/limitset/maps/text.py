"""What does a language model make of its own last text?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.replies import Draw, LanguageModel, Message, Prompt
from limitset.core.streams import Streams

TEXT_MAP_VERSION: Final = 1
"""Changes whenever a prompt below, the exemplars or the tidying of a state change: orbits may then differ."""

Style = Literal["chat", "few_shot"]


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """What a model is told to do with its last text, in words for both kinds of model.

    Parameters
    ----------
    name
        What the rows of a loop are called: ``rewrite``, ``again``.
    chat_start, chat_step
        What an instruct model is told, with ``{question}`` and ``{state}``.
    shots_start, shots_step
        Worked examples for a base model, ending where it goes on.
    held
        Whether every step sees the question (the map then differs from question to question).
    max_tokens
        At most so many tokens a state; a longer reply is cut, which is part of the map.
    """

    name: str
    chat_start: str
    chat_step: str
    shots_start: str
    shots_step: str
    held: bool
    max_tokens: int

    def start_prompt(self, question: str, *, style: Style) -> Prompt:
        """Ask for the first state."""
        return _prompt(self.chat_start, self.shots_start, style, question=question, state="")

    def step_prompt(self, question: str, state: str, *, style: Style) -> Prompt:
        """Ask for the next state."""
        return _prompt(self.chat_step, self.shots_step, style, question=question, state=state)


# The examples stand outside every packaged question set (no capitals, elements or sums), so that no answer of
# theirs is given away. Two of the four "again" examples keep the last answer and two mend it: four that keep
# it would teach a base model to copy, and every start would be a fixed point.
_AGAIN = Instruction(
    name="again",
    chat_start="{question}\nReply with the answer only, in a few words.",
    chat_step=(
        "{question}\nYour last answer was: {state}\nAnswer the question again. "
        "Reply with the answer only, in a few words."
    ),
    shots_start=(
        "Question: What colour is a ripe banana?\nAnswer: yellow\n\n"
        "Question: How many legs does a spider have?\nAnswer: eight\n\n"
        "Question: Which animal barks?\nAnswer: dog\n\n"
        "Question: What is the opposite of hot?\nAnswer: cold\n\n"
        "Question: {question}\nAnswer:"
    ),
    shots_step=(
        "Question: What colour is a ripe banana?\nLast answer: yellow\nAnswer again: yellow\n\n"
        "Question: How many legs does a spider have?\nLast answer: six\nAnswer again: eight\n\n"
        "Question: Which animal barks?\nLast answer: dog\nAnswer again: dog\n\n"
        "Question: What is the opposite of hot?\nLast answer: warm\nAnswer again: cold\n\n"
        "Question: {question}\nLast answer: {state}\nAnswer again:"
    ),
    held=True,
    max_tokens=24,
)
_REWRITE = Instruction(
    name="rewrite",
    chat_start="{question}\nReply with one full sentence that states the answer.",
    chat_step=(
        "Rewrite this sentence in other words and keep its meaning. Reply with the sentence only.\n\n{state}"
    ),
    shots_start=(
        "Question: What colour is a ripe banana?\nSentence: A ripe banana is yellow.\n\n"
        "Question: How many legs does a spider have?\nSentence: A spider has eight legs.\n\n"
        "Question: Which animal barks?\nSentence: The animal that barks is the dog.\n\n"
        "Question: {question}\nSentence:"
    ),
    shots_step=(
        "Sentence: A ripe banana is yellow.\nRewritten: Bananas are yellow when they are ripe.\n\n"
        "Sentence: Spiders walk on eight legs.\nRewritten: A spider has eight legs.\n\n"
        "Sentence: The animal that barks is the dog.\nRewritten: It is dogs that bark.\n\n"
        "Sentence: {state}\nRewritten:"
    ),
    held=False,
    max_tokens=48,
)
INSTRUCTIONS: Final[Mapping[str, Instruction]] = MappingProxyType({"again": _AGAIN, "rewrite": _REWRITE})


@dataclass(frozen=True, kw_only=True, eq=False)
class TextMap:
    """A language model applied to its own last text: s -> model(instruction, question, s).

    Parameters
    ----------
    model
        Anything with `generate`.
    questions : (b,)
        The held input of each start.
    instruction
        ``"again"`` (the last answer and the question: answer again), ``"rewrite"`` (a sentence, in other
        words; the question is not shown), or an `Instruction` of your own.
    style
        ``"chat"`` for instruct models, ``"few_shot"`` for base models.
    max_tokens
        At most so many tokens a state; None for the instruction's own.
    temperature
        0 is greedy, and only then is the map deterministic.

    Raises
    ------
    InputError
        For an unknown instruction or style, or a negative temperature.

    Notes
    -----
    A state is the reply with white space collapsed and stripped; nothing else is changed, so "Paris" and
    "Paris." are two states. An empty reply is a state like any other. A greedy model whose arithmetic depends
    on what else is in the batch is deterministic only up to ties: look at `Reply.margin`. A greedy map on
    texts of bounded length has finitely many states, so every orbit ends in a cycle.

    References
    ----------
    Wang et al. (2025), Unveiling Attractor Cycles in Large Language Models, arXiv:2502.15208
    (successive paraphrasing ends in 2-cycles). Perez et al. (2025), When LLMs Play the Telephone Game,
    arXiv:2407.04503.

    Examples
    --------
    >>> from limitset.core.replies import Reply
    >>> class Echo:  # a model that says nothing new
    ...     name = identity = "echo"
    ...     def generate(self, prompts, **how):
    ...         return [[Reply(text=" Paris ", tokens=1)] for _ in prompts]
    >>> TextMap(model=Echo(), questions=("Capital?",), instruction="again", style="chat").step(
    ...     ["London"], rows=[0], rng=Streams(0))
    ['Paris']
    """

    model: LanguageModel
    questions: tuple[str, ...]
    instruction: str | Instruction
    style: Style
    max_tokens: int | None = None
    temperature: float = 0.0

    def __post_init__(self) -> None:
        named(self.instruction)
        _check_style(self.style)
        if self.temperature < 0:
            raise InputError.of(
                expected="temperature must be 0 or above", got=self.temperature, fix="Use 0 for greedy."
            )

    @property
    def level(self) -> Level:
        """Text."""
        return Level.TEXT

    @property
    def deterministic(self) -> bool:
        """Whether the most likely token is taken every time."""
        return self.temperature == 0

    @property
    def loop(self) -> str:
        """What the rows of this loop are called."""
        return named(self.instruction).name

    def parameters(self) -> dict[str, str | int | float]:
        """Return everything that could move an orbit, the model's identity included."""
        return {
            "instruction": self.loop,
            "style": self.style,
            "max_tokens": self._max_tokens(),
            "temperature": self.temperature,
            "text_map_version": TEXT_MAP_VERSION,
            "model": self.model.identity,
        }

    def step(self, states: Sequence[str], *, rows: Sequence[int], rng: Streams) -> list[str]:
        """Let the model go on from every text."""
        how = named(self.instruction)
        prompts = [
            how.step_prompt(self.questions[row], state, style=self.style)
            for row, state in zip(rows, states, strict=True)
        ]
        return _replies(
            self.model,
            prompts,
            rows=rows,
            style=self.style,
            max_tokens=self._max_tokens(),
            temperature=self.temperature,
            rng=rng,
        )

    def _max_tokens(self) -> int:
        return named(self.instruction).max_tokens if self.max_tokens is None else self.max_tokens


def text_starts(
    model: LanguageModel,
    questions: Sequence[str],
    *,
    instruction: str | Instruction,
    style: Style,
    max_tokens: int | None = None,
    rng: Streams,
) -> list[str]:
    """Ask a model for the first state of each loop, greedily.

    Parameters
    ----------
    model
        Anything with `generate`.
    questions : (b,)
        Plain questions.
    instruction
        ``"again"``: its first short answer. ``"rewrite"``: its first one-sentence answer.
    style
        ``"chat"`` or ``"few_shot"``.
    max_tokens
        At most so many tokens; None for the instruction's own.
    rng
        Passed to the model; a greedy reply draws nothing.

    Returns
    -------
    list of str
        One text a question, white space collapsed: step 0 of the loops.

    Raises
    ------
    InputError
        For an unknown instruction or style.

    References
    ----------
    Perez et al. (2025), arXiv:2407.04503 (chains start from a given text; here from the model's
    own).

    Examples
    --------
    >>> from limitset.core.replies import Reply
    >>> class Echo:
    ...     name = identity = "echo"
    ...     def generate(self, prompts, **how):
    ...         return [[Reply(text=" Paris ", tokens=1)] for _ in prompts]
    >>> text_starts(Echo(), ["Capital of France?"], instruction="again", style="few_shot", rng=Streams(0))
    ['Paris']
    """
    how = named(instruction)
    _check_style(style)
    prompts = [how.start_prompt(question, style=style) for question in questions]
    limit = how.max_tokens if max_tokens is None else max_tokens
    return _replies(
        model,
        prompts,
        rows=range(len(prompts)),
        style=style,
        max_tokens=limit,
        temperature=0.0,
        rng=rng,
    )


def named(instruction: str | Instruction) -> Instruction:
    """Return the instruction of a name.

    Raises
    ------
    InputError
        When there is none of this name.
    """
    if isinstance(instruction, Instruction):
        return instruction
    if instruction not in INSTRUCTIONS:
        raise InputError.of(
            expected=f"the instruction must be one of {', '.join(INSTRUCTIONS)}, or an Instruction",
            got=repr(instruction),
            fix="Use one of these.",
        )
    return INSTRUCTIONS[instruction]


def _replies(
    model: LanguageModel,
    prompts: Sequence[Prompt],
    *,
    rows: Sequence[int],
    style: Style,
    max_tokens: int,
    temperature: float,
    rng: Streams,
) -> list[str]:
    if not prompts:
        return []
    replies = model.generate(
        prompts,
        rows=[str(row) for row in rows],
        draws=[Draw(seed=0, temperature=temperature)],
        max_tokens=max_tokens,
        top_p=1.0,
        # a base model would go on with examples of its own; an instruct model ends its turn by itself
        stop=("\n",) if style == "few_shot" else (),
        rng=rng,
    )
    return [" ".join(one[0].text.split()) for one in replies]


def _prompt(chat: str, shots: str, style: Style, *, question: str, state: str) -> Prompt:
    # replace, not format: a question or a state may hold braces, and a state may hold the word {question}
    pieces = (shots if style == "few_shot" else chat).split("{question}")
    text = question.join(piece.replace("{state}", state) for piece in pieces)
    return text if style == "few_shot" else (Message(role="user", content=text),)


def _check_style(style: str) -> None:
    if style not in ("chat", "few_shot"):
        raise InputError.of(
            expected="style must be chat or few_shot", got=repr(style), fix="Use few_shot for base models."
        )
