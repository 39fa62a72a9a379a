#!/usr/bin/env bash
# Collect in build/gpu what a machine with CUDA torch and no network lacks for `benchmarks/gpu/run.sh`:
# the wheels of moat's dependencies and MNIST, at most 60 MiB together.
#
#   MOAT_DATA=... scripts/pack_gpu.sh [python version of that machine, default 3.12]
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-3.12}
data=${MOAT_DATA:?"set MOAT_DATA to the folder that holds MNIST/raw"}
python=.venv/bin/python
[ -x "$python" ] || python=python3
out=build/gpu
rm -rf "$out"
mkdir -p "$out/wheels" "$out/MNIST/raw"

# What comes with torch, torchvision and matplotlib is expected there.
wheels=(
  lightning-fabric lightning-utilities qpsolvers cvxopt
  pydantic pydantic-core annotated-types typing-inspection typing-extensions
  typer rich markdown-it-py mdurl pygments shellingham click annotated-doc
  pymoo moocore cffi pycparser platformdirs autograd cma alive-progress about-time graphemeu Deprecated wrapt
  safetensors jaxtyping wadler-lindig filelock tomli-w jinja2 markupsafe plotly narwhals packaging
)
platforms=()
for glibc in 39 38 37 36 35 34 33 32 31 30 29 28 27 26 25 24 17; do
  platforms+=(--platform "manylinux_2_${glibc}_x86_64")
done
"$python" -m pip download --quiet --no-deps --only-binary=:all: --dest "$out/wheels" \
  --python-version "$version" --implementation cp --abi "cp${version/./}" --abi abi3 --abi none \
  "${platforms[@]}" --platform manylinux2014_x86_64 --platform manylinux1_x86_64 --platform any "${wheels[@]}"

for file in "$data"/MNIST/raw/*-ubyte; do
  gzip --stdout "$file" >"$out/MNIST/raw/$(basename "$file").gz"
done

size=$(du --summarize --block-size=1K "$out" | cut --fields=1)
echo "$out: $(find "$out/wheels" -name '*.whl' | wc -l) wheels and MNIST, $((size / 1024)) MiB"
if [ "$size" -gt $((60 * 1024)) ]; then
  echo "that is more than 60 MiB" >&2
  exit 1
fi
