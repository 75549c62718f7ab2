#!/bin/sh
# Weaves a manual page: every line .\"@ ARGS of the page becomes what `jamroll ARGS` prints, so that the
# tables of options, commands and keys are the program's own. Usage: weave.sh PROGRAM PAGE.in
program=$1
while IFS= read -r line; do
    case $line in
    '.\"@ '*)
        # shellcheck disable=SC2086
        "$program" ${line#'.\"@ '} || exit 1
        ;;
    *) printf '%s\n' "$line" ;;
    esac
done < "$2"
