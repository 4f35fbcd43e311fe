"""Which of nine features does a published decoder implement?

A feature counts as implemented when the code of the model holds it, also where a setting turns it on and the
default leaves it off. Two features are words with several values, attention and position have a fixed order
of precedence where code offers more than one.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from limitset.datasets.architectures.syntax import Code, Imported, settings_of

CORE: Final = ("norm", "position", "gated", "attention")
FRONTIER: Final = ("moe", "recurrent", "qk_norm", "sliding")
FEATURES: Final = (*CORE, "activation", *FRONTIER)

_NORM: Final = re.compile(r"norm|^ln$|^ln_", re.I)
_QUERY_KEY: Final = re.compile(
    r"^(q|k|query|key|qk)(_layer|_head|_b)?_?(layer)?norm|^(layer)?_?norm_?(q|k|query|key)$|^(q|k)_ln$", re.I
)
_FEED_FORWARD: Final = r"MLP|Mlp|FeedForward|FFN|Expert|MoE|Moe|FF$|ChannelMix|GLU|Block$"
_ACTIVATIONS: Final = ("silu", "gelu", "relu2", "relu")
_SETTINGS_OF_ACTIVATION: Final = (
    "hidden_act",
    "hidden_activation",
    "activation_function",
    "mlp_hidden_act",
    "ffn_hidden_act",
    "ff_activation",
    "afn",
    "activation",
)


@dataclass(frozen=True, kw_only=True)
class Features:
    """What one decoder implements.

    Parameters
    ----------
    norm
        rmsnorm, layernorm or none: of the residual stream.
    position
        rope, alibi, relative, learned, sinusoidal or none; the first of these that the code holds.
    gated
        Feed-forward layers multiply an activated projection by another one.
    attention
        mla (keys and values from a compressed latent), gqa (fewer key and value heads than query heads, one
        included), mha or none.
    activation
        silu, gelu, relu2, relu or other: default of the settings, else what the feed-forward code calls.
    moe
        A router sends tokens to experts.
    recurrent
        Some layers mix tokens by a state-space model, linear attention, a recurrence or a short convolution.
    qk_norm
        Queries and keys are normalised by head or over heads (not the latents of mla).
    sliding
        Some attention sees a window or a chunk only.
    """

    norm: str
    position: str
    gated: bool
    attention: str
    activation: str
    moe: bool
    recurrent: bool
    qk_norm: bool
    sliding: bool


def features_of(
    modeling: str, configuration: str, *, head: str, imported: Imported | None = None
) -> Features:
    """Read the features of a model class from the text of its files.

    Parameters
    ----------
    modeling, configuration
        Texts of the modeling and the configuration file; the latter may be empty.
    head
        Class with the language modelling head.
    imported
        Gives the text of a module of another model, such as ``llama.modeling_llama``.
    """
    code = Code.reached_from(modeling, head, imported=imported)
    settings = settings_of(configuration, code.identifiers) if configuration else {}
    return Features(
        norm=_norm(code),
        position=_position(code),
        gated=_gated(code),
        attention=_attention(code),
        activation=_activation(code, settings),
        moe=_moe(code),
        recurrent=_recurrent(code),
        qk_norm=_qk_norm(code),
        sliding=_sliding(code, settings),
    )


def _norm(code: Code) -> str:
    """Return the norm most often built outside of attention, mixers and routers."""
    inside = re.compile(r"Attention|Attn|Mixer|Router|Indexer|MLP|Conv|Rotary|Rglru|Gated?Norm")
    built = [part for part in code.built if _NORM.search(part.part)]
    outer = [part for part in built if not inside.search(part.owner)] or built
    kinds = Counter(_norm_kind(part.part, code) for part in outer)
    return kinds.most_common(1)[0][0] if kinds else "none"


def _norm_kind(name: str, code: Code) -> str:
    if re.search(r"rms", name, re.I):
        return "rmsnorm"
    node = code.nodes.get(name)
    if isinstance(node, ast.ClassDef):
        text = "\n".join(ast.unparse(part) for part in (*node.bases, *node.body))
        if re.search(r"layer_norm\(|\bLayerNorm\b|- mean|\.var\(", text):
            return "layernorm"
        if re.search(r"rsqrt|rms", text):
            return "rmsnorm"
    return "layernorm"


def _position(code: Code) -> str:
    learned = re.compile(r"^(wpe|positions?_embed\w*|pos_emb\w*|embed_positions?|position_embeddings?)$")
    if code.defines(r"(?i)rotary|rotate_|apply_rope|rope") or code.names(r"apply_rotary"):
        return "rope"
    if code.names(r"(?i)alibi"):
        return "alibi"
    if code.names(r"^(_?rel_shift\w*|position_bias|relative_attention_bias)$"):
        return "relative"
    if any(
        learned.match(part.attribute) and re.search(r"Embedding", part.part) and "Sinusoid" not in part.part
        for part in code.built
    ):
        return "learned"
    if code.names(r"(?i)sinusoid|positional?_encoding"):
        return "sinusoidal"
    return "none"


def _gated(code: Code) -> bool:
    sought = re.compile(_FEED_FORWARD)
    paired = re.compile(r"^(gate_up_proj|gate_and_up_proj|gate_proj|up_gate_proj|proj_up_gate|v1|w3|wi_1)$")
    built = any(paired.match(part.attribute) for part in code.built if sought.search(part.owner))
    return built or code.gates(_FEED_FORWARD)


def _attention(code: Code) -> str:
    if code.names(r"^kv_lora_rank$"):
        return "mla"
    if not code.names(r"(?i)softmax|logsumexp|scaled_dot_product|ALL_ATTENTION_FUNCTIONS|eager_attention"):
        return "none"
    if not code.defines(r"Attention|Attn"):
        return "none"
    fewer = r"^(num_key_value_(heads|groups)|num_kv_heads|n_head_kv|kv_n_heads|multi_query|num_query_groups)$"
    return "gqa" if code.names(fewer) else "mha"


def _activation(code: Code, settings: dict[str, object]) -> str:
    for name in _SETTINGS_OF_ACTIVATION:
        if isinstance(word := settings.get(name), str):
            return _activation_kind(word)
    spoken = code.identifiers | code.words
    called = {
        _activation_kind(name) for name in spoken if re.fullmatch(r"(?i)silu|swish|\w*gelu|relu2?", name)
    }
    if "relu" in called and code.names(r"^square$"):
        return "relu2"
    return min(called, key=_ACTIVATIONS.index, default="other")


def _activation_kind(word: str) -> str:
    word = word.lower().replace("swish", "silu").replace("swiglu", "silu").replace("geglu", "gelu")
    if re.search(r"relu_?(2|squared)|squared_relu", word):
        return "relu2"
    return next((kind for kind in _ACTIVATIONS if kind in word and "xielu" not in word), "other")


def _moe(code: Code) -> bool:
    experts = r"num_(local_|routed_)?experts|n_routed_experts|moe_num_experts|num_experts_per_tok|moe_topk"
    return code.names(experts) and code.defines(r"Moe|MoE|MOE|Expert|Router|Gating")


def _recurrent(code: Code) -> bool:
    states = r"Mamba|SSM|Rglru|[mx]LSTM|ShortConv"
    linear = r"Delta(Net|Attention|Rule)|LinearAttention|linear_attention|Lightning"
    return code.defines(f"{states}|{linear}") or code.names(r"^(A_log|ssm_state_size)$")


def _qk_norm(code: Code) -> bool:
    apart = re.compile(r"Cross|Indexer|Delta|Linear|Compressor|Lightning|Mamba")
    return any(
        _QUERY_KEY.search(part.attribute) and _NORM.search(part.part)
        for part in code.built
        if not apart.search(part.owner)
    )


def _sliding(code: Code, settings: dict[str, object]) -> bool:
    window = (
        r"^(\w*sliding_window\w*|local_attention|attention_chunk_size|attention_window_size|window_size)$"
    )
    kept = any(re.search(r"sliding|window|chunk_size|attention_types|local_att", name) for name in settings)
    return kept and (code.names(window) or code.defines(r"Local\w*Attention"))
