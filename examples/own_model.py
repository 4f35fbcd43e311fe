"""Put a model of your own through the first look: anything with `name`, `identity` and `generate`.

    python examples/own_model.py

The model here gives the lure in half of its replies, so half of its error is there after any vote.
"""

from collections.abc import Sequence

import numpy as np

from limitset.core.ends import Ends
from limitset.core.replies import Draw, Message, Prompt, Reply
from limitset.core.streams import Streams
from limitset.core.tallies import tallied
from limitset.datasets.anchored import anchored
from limitset.instruments.truth import surviving_error
from limitset.studies.asking import Asked, sampled


class Guesser:
    """Answers every question with the lure half of the time, else with the key."""

    name = "guesser"
    identity = "guesser@1"

    def __init__(self, answers: dict[str, tuple[str, str]]) -> None:
        self.answers = answers

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        rows: Sequence[str],
        draws: Sequence[Draw],
        rng: Streams,
        **_: object,
    ) -> list[list[Reply]]:
        """Reply to every prompt once a draw; the random number depends on row and seed alone."""
        return [
            [self._reply(prompt, rng.child(draw.seed).uniforms([row], step=0)[0]) for draw in draws]
            for prompt, row in zip(prompts, rows, strict=True)
        ]

    def _reply(self, prompt: Prompt, chance: float) -> Reply:
        asked = prompt[-1].content if isinstance(prompt[-1], Message) else prompt
        key, lure = self.answers[asked]
        return Reply(text=lure if chance < 0.5 else key, tokens=1)


def main() -> None:
    """Ask sixty questions eight times each and say what a vote would leave."""
    questions = anchored().only([item for item in anchored().questions if item.startswith("capital")][:60])
    lured = {
        one.wordings[0]: (one.accepted[0], one.lure or "nowhere") for one in questions.questions.values()
    }
    asked = Asked(model=Guesser(lured), style="chat", questions=questions, rng=Streams(0))
    sampling = {"seeds": 8, "temperature": 1.0, "top_p": 1.0, "max_tokens": 8}
    chunk = {"items": list(questions.questions), "wording": 0, "sampling": sampling}
    ends = Ends.of(**sampled(chunk, asked)["ends"].columns)
    found = surviving_error(tallied(ends, questions.items), rng=np.random.default_rng(0))
    print(found.share.one(system="all", stratum="all").record())


if __name__ == "__main__":
    main()
