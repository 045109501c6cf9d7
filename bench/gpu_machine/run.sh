#!/bin/sh
# Runs the benchmarks on a machine without a network, out of the folder that
# pack.sh made.
#
#   sh run.sh [quick|full] [OUT [PART ...]]
#
# quick  a few minutes on any machine, a software adapter too: does all work?
# full   the figures to publish; for GPUs
# OUT    folder for the results, default ./results
# PART   of doctor, kernels, grid, profile, human, cublas, compare, scaling; default all.
#        kernels checks every kernel against float64 and times it, profile is the
#        grid with all kernels timed, human the grid on the human connectome
#
# Leaves a text and a JSON file of each part in OUT, and all texts in report.md.
# Nothing is installed, and nothing outside this folder and OUT is written.
set -u

mode=${1:-quick}
case $mode in
quick | full) ;;
*)
  echo "usage: sh run.sh [quick|full] [OUT [PART ...]]" >&2
  exit 2
  ;;
esac
pack=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${2:-results}" || exit 2
out=$(cd "${2:-results}" && pwd)
if [ $# -gt 2 ]; then
  shift 2
  parts=$*
else
  parts="doctor kernels grid profile human cublas compare scaling"
fi

# Deno, the libraries and whatever they cache stay in a folder of their own.
room=$pack/unpacked
mkdir -p "$room/home" "$room/lib" "$room/tmp"
export HOME="$room/home" DENO_DIR="$room/deno_dir" XDG_RUNTIME_DIR="$room/tmp"
export XDG_CACHE_HOME="$room/home/.cache" TMPDIR="$room/tmp" NO_COLOR=1
export DENO_NO_UPDATE_CHECK=1 PYTHONDONTWRITEBYTECODE=1
if [ ! -x "$room/deno" ]; then
  python3 - "$pack/deno.xz" "$room/deno.part" <<'END' || exit 1
import lzma, shutil, sys
with lzma.open(sys.argv[1]) as source, open(sys.argv[2], "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
END
  chmod +x "$room/deno.part" && mv "$room/deno.part" "$room/deno" || exit 1
fi

# The machine's own loader goes first; the packed one is for machines without.
if ! (ldconfig -p 2>/dev/null || /sbin/ldconfig -p) | grep -q 'libvulkan\.so\.1'; then
  for deb in "$pack"/debs/*.deb; do
    dpkg -x "$deb" "$room/lib" || echo "warning: cannot unpack $deb" >&2
  done
  for folder in "$room"/lib/usr/lib/*-linux-gnu "$room"/lib/lib/*-linux-gnu; do
    if [ -d "$folder" ]; then
      LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder
    fi
  done
  export LD_LIBRARY_PATH
fi

# Where a driver is mounted into a container, its manifest may lie where no loader looks.
if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] &&
  ! ls /etc/vulkan/icd.d/*.json /usr/share/vulkan/icd.d/*.json 2>/dev/null | grep -q .; then
  found=$(find /usr/local /opt /usr/lib /usr/share -name 'nvidia_icd*.json' 2>/dev/null | head -n 1)
  if [ -n "$found" ]; then
    export VK_DRIVER_FILES="$found" VK_ICD_FILENAMES="$found"
  fi
fi
if [ -d "$pack/connectomes" ]; then
  export BIORNN_CONNECTOMES="$pack/connectomes"
fi

failed=""
# part NAME SECONDS COMMAND...: runs a part if it is wanted; the others run even if it fails.
part() {
  name=$1 seconds=$2
  shift 2
  case " $parts " in
  *" $name "*) ;;
  *) return ;;
  esac
  echo "== $name"
  timeout "$seconds" "$@" >"$out/$name.txt" 2>"$out/$name.log"
  code=$?
  if [ "$code" -ne 0 ]; then
    failed="$failed $name"
    echo "failed with exit code $code" >>"$out/$name.txt"
    tail -n 5 "$out/$name.log" >>"$out/$name.txt"
  fi
  cat "$out/$name.txt"
}

bench() {
  command=$1 name=$2 seconds=$3
  shift 3
  part "$name" "$seconds" "$room/deno" run --quiet --no-config --no-lock --cached-only \
    --allow-read --allow-write --allow-env --allow-sys=loadavg,cpus --allow-run \
    "$pack/bench.js" "$command" --out "$out/$name.json" "$@"
}

{
  date -u '+%Y-%m-%d %H:%M UTC'
  uname -srm
  "$room/deno" --version
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null ||
    echo "no nvidia-smi"
  echo "Vulkan driver: ${VK_DRIVER_FILES:-as the loader finds it}"
} >"$out/machine.txt" 2>&1
cat "$out/machine.txt"

part doctor 300 "$room/deno" run --quiet --no-config --no-lock --cached-only \
  --allow-read --allow-env "$pack/doctor.js" --device gpu --cases "$pack/golden"
if [ "$mode" = full ]; then
  bench kernels kernels 300
  bench grid grid 900
  bench grid profile 300 --epochs 20 --profile
  bench grid human 300 --connectome Human_Betzel_Normalized
  part cublas 120 python3 "$pack/peers/cublas.py"
  bench compare compare 1500 --rounds 5 --epochs 20
  bench scaling scaling 600 --full
else
  bench kernels kernels 300 --iterations 1 --epochs 0
  bench grid grid 300 --iterations 1 --epochs 2
  bench grid profile 300 --iterations 1 --epochs 2 --profile
  bench compare compare 600 --models 4 --rounds 2
  bench scaling scaling 300 --milliseconds 50
fi

{
  echo "# Benchmarks"
  for text in machine $parts; do
    if [ -f "$out/$text.txt" ]; then
      printf '\n## %s\n\n```text\n' "$text"
      cat "$out/$text.txt"
      printf '```\n'
    fi
  done
} >"$out/report.md"
if [ -n "$failed" ]; then
  echo "failed:$failed" >&2
  exit 1
fi
