#!/usr/bin/env bash
# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
# Test with several processes of this machine, one a GPU (or on the CPU):
#   tools/dist_test.sh CONFIG PROCESSES [CHECKPOINT, arguments of tools/test.py]
# Several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT, as in mmseg.
set -euo pipefail
config=${1:?usage: tools/dist_test.sh CONFIG PROCESSES [...]}
processes=${2:?usage: tools/dist_test.sh CONFIG PROCESSES [...]}
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes "${NNODES:-1}" --node_rank "${NODE_RANK:-0}" \
    --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "${PORT:-29500}" \
    --nproc_per_node "$processes" \
    tools/test.py "$config" --launcher pytorch "${@:3}"
