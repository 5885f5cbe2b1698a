#!/bin/sh
# Makes tars-demo.gguf from nothing: data, tokenizer, training, export. Then start a server and run evaluate.py.
#   ./run_all.sh WORK_FOLDER
# Needs Python 3.10 or newer with the packages of requirements.txt, and a C++ compiler for the compiled training steps (or
# TRAIN_FLAGS=--no-compile). WORK_FOLDER keeps data and checkpoints, outside the repository; run the command again to go on
# after a stop, with a fresh folder to begin again.
set -eu
work=${1:?usage: run_all.sh WORK_FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
mkdir -p "$work"
work=$(cd "$work" && pwd)
cd "$here"

train() {
    "$python" train.py --chats "$1" --tokenizer "$work/tokenizer.json" --out "$work/run" --steps "$STEPS" --stop-at "$2" ${TRAIN_FLAGS:-}
}

"$python" generate_data.py --out "$work/first.jsonl" --chats 260000 --long 4500 --mix first --seed 1
"$python" train_tokenizer.py --chats "$work/first.jsonl" --out "$work/tokenizer.json"
STEPS=3000 train "$work/first.jsonl" 700
"$python" generate_data.py --out "$work/second.jsonl" --chats 300000 --long 5000 --mix second --seed 2
STEPS=2200 train "$work/second.jsonl" 1400
"$python" generate_data.py --out "$work/third.jsonl" --chats 135000 --long 2500 --mix third --seed 3
STEPS=2700 train "$work/third.jsonl" 2700
"$python" generate_data.py --out "$work/fourth.jsonl" --chats 125000 --long 2300 --mix fourth --seed 4
STEPS=4600 train "$work/fourth.jsonl" 4600
"$python" export_gguf.py --model "$work/run/model" --tokenizer "$work/tokenizer.json"
