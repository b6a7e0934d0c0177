#!/usr/bin/env bash
# Builds this example as one file for machines with neither Rust nor this repository: a Linux of the same architecture, a C
# library at least as new as the version printed, the Vulkan loader (libvulkan.so.1) and a driver. To serve an older C library,
# run it on an older system, in a container say: a static program cannot load a driver, so that the C library stays outside.
#
#     examples/gpu_bench/build.sh [folder, target/bare unless given] [arguments of `cargo build`, such as --features candle]
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=${1:-target/bare}
[[ $folder = /* || $# -eq 0 ]] || folder=$here/$folder
shift $(($# > 0))

built=$(cargo build --release --example gpu_bench --message-format=json-render-diagnostics "$@" |
    sed -n 's/.*"name":"gpu_bench".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
test -x "$built" || { echo "error: cargo named no program" >&2; exit 1; }
mkdir -p "$folder"
program=$folder/gpu_bench
cp "$built" "$program.part"
# Names and lines for debuggers; those of its own panics stay.
strip "$program.part"

needed=$(readelf --dynamic "$program.part" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
others=$(grep -vE '^(lib(c|m|gcc_s|dl|pthread|rt)|ld-linux.*)\.so\.[0-9]+$' <<<"$needed" || true)
if [ -n "$others" ]; then
    rm "$program.part"
    echo "error: it needs what a bare machine lacks:" $others >&2
    exit 1
fi
version=$(readelf --version-info "$program.part" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
mv "$program.part" "$program"
echo "$program: $(stat --format=%s "$program") bytes; needs" $needed "(${version/GLIBC_/glibc })"
echo "and, of the machine it runs on, libvulkan.so.1 and a driver. There: ./gpu_bench --output measured"
