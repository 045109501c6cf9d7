#!/bin/sh
# Packs what a GPU machine without a network needs to run the benchmarks into
# one folder: Deno, the benchmarks as one file, the peers, the reference cases,
# Debian's Vulkan loader. Copy the folder there and run `sh run.sh` in it.
#
#   sh bench/gpu_machine/pack.sh FOLDER
#
# The machine must have the processor type of this one, Python 3, and a driver
# of its GPU; PyTorch or JAX if the peers are to run. With the environment
# variable BIORNN_CONNECTOMES, the marmoset's and the human
# connectome go along.
set -eu

if [ $# -ne 1 ]; then
  echo "usage: sh bench/gpu_machine/pack.sh FOLDER" >&2
  exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."

# JSR's packages are left out: where they are not to be had, src/compat does without.
bundle() {
  deno bundle --quiet --external '@std/*' --output "$folder/$2" "$1"
}
bundle bench/main.ts bench.js
bundle src/cli/doctor.ts doctor.js
# Under the name that the WebAssembly engine looks for beside itself.
bundle src/wasm/worker.ts worker.ts

mkdir -p "$folder/peers" "$folder/golden" "$folder/debs"
cp bench/peers/*.py "$folder/peers/"
cp src/doctor/cases/train_*.json "$folder/golden/"
cp bench/gpu_machine/run.sh "$folder/"
if [ -n "${BIORNN_CONNECTOMES:-}" ]; then
  mkdir -p "$folder/connectomes"
  cp "$BIORNN_CONNECTOMES"/*Marmoset_Normalized* \
    "$BIORNN_CONNECTOMES"/*Human_Betzel_Normalized* "$folder/connectomes/"
fi

# Drivers bring no loader. NVIDIA's also opens libraries of GL and X11, without a display too.
if command -v apt-get >/dev/null; then
  (cd "$folder/debs" && apt-get download \
    libvulkan1 libegl1 libglvnd0 libgl1 libglx0 \
    libx11-6 libxext6 libxcb1 libxau6 libxdmcp6 libbsd0 libmd0 >/dev/null) ||
    echo "warning: apt-get could not download the Vulkan loader; the machine must have it" >&2
  # apt writes the colon of a version as %3a, which not every way of copying files bears.
  for deb in "$folder"/debs/*%3a*; do
    if [ -e "$deb" ]; then mv "$deb" "$(echo "$deb" | sed 's/%3a/-/')"; fi
  done
fi

python3 - "$(deno eval 'Deno.stdout.writeSync(new TextEncoder().encode(Deno.execPath()))')" \
  "$folder/deno.xz" <<'END'
import lzma, shutil, sys
with open(sys.argv[1], "rb") as source, lzma.open(sys.argv[2], "wb", preset=4) as target:
    shutil.copyfileobj(source, target, 1 << 20)
END

du -sh "$folder"
