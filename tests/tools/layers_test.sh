#!/bin/sh
# layers.sh on small trees of its own: a clean one passes, each planted violation is caught.
tool=$(cd "$(dirname "$0")" && pwd)/layers.sh
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
passed=0
failed=0

fresh() {
    rm -rf "${tree:?}/src" "$tree/include"
    mkdir -p "$tree/include"
    for pair in base/err compute/graph music/song nn/layer model/model engine/verb audio/synth app/session; do
        mkdir -p "$tree/src/${pair%/*}"
        name=${pair#*/}
        : > "$tree/include/$name.h"
        printf '#include "%s.h"\n#include "err.h"\n#include <stdio.h>\n' "$name" > "$tree/src/${pair%/*}/$name.c"
    done
    mkdir -p "$tree/src/tui" "$tree/src/cli" "$tree/src/compute/cpu"
    printf '#include "session.h"\n#include "graph.h"\n#include "synth.h"\n' > "$tree/src/tui/loop.c"
    printf '#include "verb.h"\n' > "$tree/src/cli/cmd.c"
    : > "$tree/src/tui/tui.h"
    : > "$tree/src/music/private.h"
    : > "$tree/src/compute/op.h"
    printf '#include "../op.h"\n#include "graph.h"\n' > "$tree/src/compute/cpu/gemm.c"
    printf '#include "tui/tui.h"\n' > "$tree/src/main.c"
    sed -i 's,"tui/,"../src/tui/,' "$tree/src/main.c"
}

expect() { # pass|fail, what
    if "$tool" "$tree" > "$tree/out" 2>&1; then got=pass; else got=fail; fi
    if [ "$got" = "$1" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$2: expected $1, got $got"
        cat "$tree/out"
    fi
}

plant() { # file, included name
    fresh
    echo "#include \"$2\"" >> "$tree/$1"
    expect fail "$1 includes $2"
}

fresh
expect pass "a clean tree"
plant src/base/err.c song.h
plant src/compute/graph.c song.h
plant src/music/song.c graph.h
plant src/compute/cpu/gemm.c layer.h
plant src/nn/layer.c model.h
plant src/model/model.c verb.h
plant src/engine/verb.c synth.h
plant src/audio/synth.c graph.h
plant src/audio/synth.c layer.h
plant src/audio/synth.c model.h
plant src/audio/synth.c verb.h
plant src/app/session.c ../tui/tui.h
plant src/cli/cmd.c ../tui/tui.h
plant src/compute/graph.c ../music/private.h
plant include/song.h verb.h
plant src/base/err.c nowhere.h
fresh
: > "$tree/include/orphan.h"
expect fail "a header that no module implements"
fresh
: > "$tree/src/audio/song.c"
expect fail "a header that two modules seem to implement"

echo "layers_test: $passed passed, $failed failed"
[ "$failed" = 0 ]
