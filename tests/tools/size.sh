#!/bin/sh
# Prints files over 800 lines and functions over 70, then the total. Usage: size.sh [ROOT]
# A function is what stands between "{" and "}" in the first column, by the form of the tree.
root=${1:-$(dirname "$0")/../..}
cd "$root" || exit 1
# shellcheck disable=SC2016 # $0 is awk's
find src include tests -name '*.[ch]' -o -name '*.cu' -o -name '*.cc' | sort | xargs awk '
FNR == 1 { if (last) file_end(last, lines); last = FILENAME; head = "" }
{ lines = FNR; total++ }
/^[A-Za-z_].*\(/ { head = $0 }
/^\{/ { start = FNR }
/^\}/ {
    if (start && FNR - start > 70) {
        sub(/\(.*/, "", head); sub(/.*[ *]/, "", head)
        printf "%s:%d: %s has %d lines\n", FILENAME, start, head, FNR - start
    }
    start = 0
}
function file_end(name, n) { n_files++; if (n > 800) printf "%s: %d lines\n", name, n }
END { file_end(last, lines); printf "size: %d lines in %d files\n", total, n_files }'
