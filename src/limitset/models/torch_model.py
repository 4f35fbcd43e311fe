"""How does a torch language model reply, score text, and show its inner states and derivatives?"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch.nn.attention import SDPBackend, sdpa_kernel

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.replies import Draw, Prompt, Reply
from limitset.core.streams import Streams
from limitset.models.requests import check_request
from limitset.models.sampling import DEFAULT_BUDGET, sample
from limitset.models.token_tree import TokenTree, attention_kinds

TREE_TOLERANCE = {torch.float32: 1e-3, torch.float16: 0.2, torch.bfloat16: 1.0}
"""How far a logit may move between the tree and a plain pass, by dtype."""


class TorchModel:
    """A causal language model of transformers.

    Parameters
    ----------
    model, tokenizer
        Of transformers.
    name, identity
        See `LanguageModel`.
    budget
        Bytes that keys, values and logits may take while sampling.

    Raises
    ------
    InputError
        For an architecture whose attention cannot be laid out as a tree of tokens.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, name: str, identity: str, budget: int = DEFAULT_BUDGET
    ) -> None:
        self._model = model.eval().requires_grad_(False)
        self._tokenizer = tokenizer
        self._name = name
        self._identity = identity
        self._budget = budget
        self._ends = _end_tokens(model, tokenizer)
        _check_tree(model)

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return self._name

    @property
    def identity(self) -> str:
        """Name, sha256 of the weights, runtime, dtype and device."""
        return self._identity

    @property
    def ends(self) -> frozenset[int]:
        """Tokens that end a reply."""
        return self._ends

    @property
    def torch_module(self) -> Any:
        """The transformers model itself."""
        return self._model

    @property
    def tokenizer(self) -> Any:
        """The tokenizer itself."""
        return self._tokenizer

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        rows: Sequence[str],
        draws: Sequence[Draw],
        max_tokens: int,
        top_p: float,
        stop: tuple[str, ...],
        rng: Streams,
    ) -> list[list[Reply]]:
        """Reply to every prompt once a draw; see `limitset.core.replies.LanguageModel`.

        Raises
        ------
        InputError
            For numbers of rows and prompts that differ, values out of range, a prompt that is too long, or
            a conversation given to a model without a chat template.
        """
        check_request(prompts, rows=rows, draws=draws, max_tokens=max_tokens, top_p=top_p, stop=stop)
        tokens = [self.tokens(prompt) for prompt in prompts]
        longest = max((len(one) for one in tokens), default=0) + max_tokens
        limit = getattr(self._model.config, "max_position_embeddings", None)
        if limit and longest > limit:
            raise InputError.of(
                expected=f"prompt and reply of {self._name} must stay within {limit} tokens",
                got=longest,
                fix="Shorten the prompt or lower max_tokens.",
            )
        return sample(
            self._model,
            self._tokenizer,
            tokens,
            rows=rows,
            draws=draws,
            max_tokens=max_tokens,
            top_p=top_p,
            stop=stop,
            ends=self._ends,
            rng=rng,
            budget=self._budget,
        )

    def tokens(self, prompt: Prompt) -> list[int]:
        """Return the token ids of a prompt, with the beginning token that the tokenizer puts in front."""
        if isinstance(prompt, str):
            ids = self._tokenizer(prompt).input_ids
        elif self._tokenizer.chat_template is None:
            raise InputError.of(
                expected=f"{self._name} is a base model and continues plain text",
                got="a conversation",
                fix="Give the prompt as one text, in the style few_shot.",
            )
        else:
            asked = prompt[-1].role != "assistant"
            ids = self._tokenizer.apply_chat_template(
                [{"role": message.role, "content": message.content} for message in prompt],
                add_generation_prompt=asked,
                continue_final_message=not asked,
                return_dict=False,
            )
        if not ids and self._tokenizer.bos_token_id is not None:
            ids = [self._tokenizer.bos_token_id]
        if not ids:
            raise InputError.of(expected="a prompt must hold a token", got="none", fix="Give it some text.")
        return list(ids)

    def logprobs(self, prompt: Prompt, continuation: str) -> Float[np.ndarray, " t"]:
        """Return the natural log-probability of each token of a continuation, at temperature 1.

        Parameters
        ----------
        prompt
            What comes before.
        continuation
            Cut into tokens by itself, so that the boundary is where the prompt ends.

        Returns
        -------
        array (t,)
            Each at most 0; their sum is the log-probability of the continuation.
        """
        before = self.tokens(prompt)
        after = self._tokenizer(continuation, add_special_tokens=False).input_ids
        if not after:
            raise InputError.of(
                expected="a continuation must hold a token", got=repr(continuation), fix="Give it some text."
            )
        with torch.inference_mode():
            logits = self._forward(torch.tensor([before + after])).logits[0, len(before) - 1 : -1].float()
        index = torch.tensor(after, device=logits.device)[:, None]
        return frozen(logits.log_softmax(-1).gather(1, index)[:, 0].double().cpu().numpy())

    def hidden_states(self, texts: Sequence[Prompt]) -> list[Float[np.ndarray, "layers t d"]]:
        """Return the hidden states of each text: embedding, then the output of each layer.

        Returns
        -------
        list of arrays (layers + 1, t, d)
            Float32; the last one has passed the final norm. Position 0 is often an attention sink with a
            norm far above the others: leave it out of means.
        """
        states = []
        for text in texts:
            with torch.inference_mode():
                output = self._forward(torch.tensor([self.tokens(text)]), output_hidden_states=True)
            states.append(frozen(torch.cat(output.hidden_states).float().cpu().numpy()))
        return states

    def embeddings(self, prompt: Prompt) -> torch.Tensor:
        """Return the input embeddings (t, d) of a prompt."""
        ids = torch.tensor([self.tokens(prompt)], device=self._model.device)
        with torch.no_grad():
            return self._model.get_input_embeddings()(ids)[0]  # type: ignore[no-any-return]

    def next_token_logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Return the logits (v,) of the token after input embeddings (t, d); differentiable."""
        return self._model(  # type: ignore[no-any-return]
            inputs_embeds=embeddings[None], use_cache=False, logits_to_keep=1
        ).logits[0, -1]

    def next_token_jvp(
        self, prompt: Prompt, tangent: Float[np.ndarray, "t d"]
    ) -> tuple[Float[np.ndarray, " v"], Float[np.ndarray, " v"]]:
        """Return next-token logits and their derivative along a direction of the input embeddings.

        Parameters
        ----------
        prompt
            Where the derivative is taken.
        tangent : (t, d)
            The direction, one vector a token.

        Returns
        -------
        logits, derivative
            Both (v,).
        """
        point = self.embeddings(prompt)
        direction = torch.as_tensor(np.asarray(tangent), dtype=point.dtype, device=point.device)
        if direction.shape != point.shape:
            raise InputError.of(
                expected=f"the tangent must have the shape {tuple(point.shape)} of the embeddings",
                got=tuple(direction.shape),
                fix="Give one vector a token of the prompt.",
            )
        # the fused attention kernels have no forward derivative
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            # torch warns of its own use of torch.jit.script when forward derivatives are first taken
            warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
            pair: Any = torch.func.jvp(self.next_token_logits, (point,), (direction,))
        value, slope = pair
        return frozen(value.detach().float().cpu().numpy()), frozen(slope.detach().float().cpu().numpy())

    def _forward(self, ids: torch.Tensor, **options: Any) -> Any:
        return self._model(input_ids=ids.to(self._model.device), use_cache=False, **options)


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    ends: set[int] = set()
    for value in (
        tokenizer.eos_token_id,
        model.config.eos_token_id,
        getattr(model.generation_config, "eos_token_id", None),
    ):
        if value is not None:
            ends.update(value if isinstance(value, list | tuple) else [value])
    return frozenset(ends)


def _check_tree(model: Any) -> None:
    """Refuse a model that gives other logits from a tree than from one plain text."""
    kinds, _ = attention_kinds(model.config)
    distance = float("inf")
    if kinds <= {"full_attention", "sliding_attention"}:
        size = int(model.config.vocab_size)
        first, second = ([token % size for token in range(11, 17)], [token % size for token in range(11, 19)])
        second[3] = 5 % size
        tree = TokenTree(model)
        ends = [tree.add_path(first), tree.add_path(second)]
        laid = tree.logits(ends)
        child = tree.add_children([ends[0]], [7 % size])
        laid = torch.cat([laid, tree.logits(child)])
        with torch.inference_mode():
            plain = torch.stack(
                [
                    model(input_ids=torch.tensor([ids], device=model.device), use_cache=False)
                    .logits[0, -1]
                    .float()
                    for ids in (first, second, [*first, 7 % size])
                ]
            )
        distance = float((laid - plain).abs().max())
    if not distance <= TREE_TOLERANCE.get(model.dtype, 1e-3):
        raise InputError.of(
            expected="the attention of the model must follow the mask it is given",
            got=f"{model.config.model_type}, whose logits move by {distance:.3g}",
            fix="Use a decoder with full or sliding attention, such as llama, qwen, gemma or gpt2.",
        )
