#!/bin/bash
# What somebody with a GPU runs first: builds with CUDA, then the tests of ops and models on the GPU, the tools of
# compute-sanitizer, and the benchmarks beside PyTorch. Ends with a short table; everything else is under build/gpu.
#
# Usage: tests/gpu.sh [STAGE...]   stages: build doctor tests memcheck racecheck initcheck train bench
# Variables: CUDA_HOME, CUDA_ARCHS (default: the GPU's own), PYTHON (an interpreter with PyTorch, for bench), JOBS,
# B (build folder), SANITIZED (tests under compute-sanitizer, default "cuda ops").
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build/gpu}
logs=$B/log
jobs=${JOBS:-$(nproc)}
mkdir -p "$logs" || exit 1
stages=${*:-build doctor tests memcheck racecheck initcheck train bench}
if [ -z "${CUDA_ARCHS:-}" ] && command -v nvidia-smi > /dev/null; then
    CUDA_ARCHS=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
fi
export CUDA_ARCHS=${CUDA_ARCHS:-75 80 86 89 90}
make=(make -s -j "$jobs" "B=$B" CUDA=1)
device_tests=$("${make[@]}" list-device-tests) || exit 1
export JAMROLL_CUDA=$PWD/$B/jamroll-cuda.so
case $B in /*) JAMROLL_CUDA=$B/jamroll-cuda.so ;; esac
table=$logs/table
: > "$table"
bad=0

# row STAGE VERDICT WHAT
row() { printf '%-10s %-5s %s\n' "$1" "$2" "$3" | tee -a "$table"; }

# run STAGE COMMAND...: its output into a log, its verdict into the table
run() {
    local stage=$1 start=$SECONDS
    shift
    if "$@" > "$logs/$stage.log" 2>&1; then
        row "$stage" ok "$((SECONDS - start)) s"
    else
        row "$stage" BAD "see $logs/$stage.log: $(tail -n 1 "$logs/$stage.log")"
        bad=1
    fi
}

test_programs() { for t in $device_tests; do echo "$B/unit/test_$t"; done; }

build() {
    # shellcheck disable=SC2046 # words are wanted
    "${make[@]}" all $(test_programs) && "${make[@]}" benches
}

doctor() {
    "$B/jamroll" doctor --device cuda
    found=$("$B/jamroll" doctor | grep -E '^(ok|--) +cuda')
    echo "$found"
    [[ $found == ok* ]]
}

tests() {
    local failed=
    export JAMROLL_TEST_DEVICE=cuda
    for program in $(test_programs); do
        "$program" || failed="$failed $(basename "$program")"
    done
    unset JAMROLL_TEST_DEVICE
    [ -z "$failed" ] || { echo "failed:$failed"; return 1; }
}

sanitized() {
    command -v compute-sanitizer > /dev/null || { echo "there is no compute-sanitizer on the PATH"; return 1; }
    for t in ${SANITIZED:-cuda ops}; do
        JAMROLL_TEST_DEVICE=cuda compute-sanitizer --tool "$1" --error-exitcode 9 "$B/unit/test_$t" || return
    done
}

# The recipes of the full-size networks, a few updates each.
train() { STEPS=20 JAMROLL=$B/jamroll OUT=$B/recipes tests/tools/recipes.sh; }

# Each benchmark beside PyTorch as it comes, and compiled with CUDA graphs.
bench() {
    export JAMROLL_BENCH_DEVICE=cuda
    for precision in fp32 tf32; do
        for way in eager compile graph; do
            echo "== $precision, PyTorch $way"
            for b in musegan cyclegan transformer frames vqvae; do
                JAMROLL_BENCH_PRECISION=$precision JAMROLL_BENCH_TORCH=$way "$B/bench/bench_$b" || return
            done
        done
    done
}

for stage in $stages; do
    case $stage in
    build | doctor | tests | train | bench) run "$stage" "$stage" ;;
    memcheck | racecheck | initcheck) run "$stage" sanitized "$stage" ;;
    *) echo "gpu.sh: no stage \"$stage\"" >&2; exit 2 ;;
    esac
    [ "$stage" = build ] && [ "$bad" = 1 ] && break
done

echo
echo "$("$B/jamroll" --version 2> /dev/null), $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null | head -n 1)"
cat "$table"
[ -s "$logs/bench.log" ] && grep -E '^(==|[a-z-]+ .*x$)' "$logs/bench.log"
exit $bad
