#!/bin/sh
# Makes tars-demo.gguf from nothing: data, tokenizer, training, export, evaluation.
#   ./run_all.sh WORK_FOLDER [MINUTES]
# Needs Python 3.10 or newer with the packages of requirements.txt. WORK_FOLDER keeps data and checkpoints, outside the
# repository; run the command again to go on after a stop, with a fresh folder to begin again.
set -eu
work=${1:?usage: run_all.sh WORK_FOLDER [MINUTES]}
minutes=${2:-22}
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
mkdir -p "$work"
work=$(cd "$work" && pwd)
cd "$here"
"$python" generate_data.py --out "$work/chats.jsonl" --chats 80000
"$python" train_tokenizer.py --chats "$work/chats.jsonl" --out "$work/tokenizer.json"
"$python" train.py --chats "$work/chats.jsonl" --tokenizer "$work/tokenizer.json" --out "$work/run" --minutes "$minutes" --threads "${THREADS:-0}"
"$python" export_gguf.py --model "$work/run/model" --tokenizer "$work/tokenizer.json"
"$python" evaluate.py --tokenizer "$work/tokenizer.json" --answers "$work/answers.jsonl"
