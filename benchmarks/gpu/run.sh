#!/usr/bin/env bash
# Run benchmarks/gpu on a machine with CUDA torch and no network, from what scripts/pack_gpu.sh collected.
#
#   benchmarks/gpu/run.sh steps --out gpu.json
set -euo pipefail
cd "$(dirname "$0")/../.."

pack=$PWD/build/gpu
site=$pack/site
if [ ! -d "$pack/wheels" ]; then
  echo "build/gpu is not here: scripts/pack_gpu.sh makes it, on a machine with a network" >&2
  exit 2
fi
if [ ! -f "$site/.installed" ] || [ "$pack/wheels" -nt "$site/.installed" ]; then
  python3 -m pip install --quiet --no-index --no-deps --no-compile --upgrade --target "$site" "$pack"/wheels/*.whl
  gunzip --keep --force "$pack"/MNIST/raw/*.gz
  touch "$site/.installed"
fi
export PYTHONPATH="$PWD:$site${PYTHONPATH:+:$PYTHONPATH}" MOAT_DATA="${MOAT_DATA:-$pack}" PYTHONUNBUFFERED=1
exec python3 -m benchmarks.gpu "$@"
