#!/usr/bin/env bash
# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
# Show the method on photos, with models that fit a laptop:
#   tools/demo_photos.sh            three photos that come with scikit-image
#   tools/demo_photos.sh FOLDER     your photos, whose content is guessed
#   tools/demo_photos.sh VOC2012    three of its animals, and VOC-Animals in
#                                   small: masks, prompts, seeds, DeepLabV3+
# IMAGES photos (20) and SCHEDULE (0.2) of the training say how small.
set -euo pipefail
photos=${1:-}
[ -z "$photos" ] || photos=$(realpath "$photos")
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
python=${PYTHON:-python}
# Get the weights, unless they are there or the variables name them
[ -n "${MOBILE_SAM:-}" ] || "$python" tools/get_weights.py mobile_sam
[ -n "${EFFICIENTNET_LITE2:-}" ] \
    || "$python" tools/get_weights.py efficientnet_lite2
demo=("$python" tools/demo.py
    ${MOBILE_SAM:+--sam "$MOBILE_SAM"}
    ${EFFICIENTNET_LITE2:+--stem "$EFFICIENTNET_LITE2"})
# Show single photos
if [ -z "$photos" ]; then
    exec "${demo[@]}" --free
elif [ ! -d "$photos/JPEGImages" ]; then
    exec "${demo[@]}" "$photos"
fi
"${demo[@]}" "$photos"/JPEGImages/2007_000{464,528,720}.jpg
# Show the whole method on the animals of VOC
export VOC12_ROOT=$photos
exec "$python" tools/run_pipeline.py animals \
    --images "${IMAGES:-20}" --schedule "${SCHEDULE:-0.2}"
