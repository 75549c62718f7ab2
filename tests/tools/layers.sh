#!/bin/sh
# Fails on any include that does not point downwards. Usage: layers.sh [ROOT]
#
# A header of include/ belongs to the module that has src/<module>/<name>.c, or to the one in the table
# below where its implementation has another name or several. A quoted include is looked for where the
# compiler looks: beside the file, then in include/. An include with a folder in it is resolved too, so
# that "../music/x.h" hides nothing.
root=${1:-$(dirname "$0")/../..}
cd "$root" || exit 1

find src include -name '*.[ch]' -o -name '*.def' | sort | awk '
BEGIN {
    # What each module may include besides itself.
    may["base"] = ""
    may["compute"] = "base"
    may["music"] = "base"
    may["nn"] = "base compute music"
    may["model"] = "base compute music nn"
    may["engine"] = "base compute music nn model"
    may["audio"] = "base music"
    may["app"] = "base compute music nn model engine audio"
    may["cli"] = "base compute music nn model engine audio app"
    may["tui"] = "base compute music nn model engine audio app"
    may["main"] = "base compute music nn model engine audio app cli tui"
    for (m in may) {
        ok[m, m] = 1
        n = split(may[m], list, " ")
        for (i = 1; i <= n; i++) ok[m, list[i]] = 1
    }
    n = split("model.h:model verb.h:engine train.h:engine eval.h:engine graph.h:compute plan.h:compute " \
              "tensor.h:compute midi.h:music desk.h:app command.h:app session.h:app draw.h:music", list, " ")
    for (i = 1; i <= n; i++) { split(list[i], pair, ":"); owner[pair[1]] = pair[2] }
    bad = 0
}

function complain(text) { print text > "/dev/stderr"; bad++ }

# "a/b/../c.h" -> "a/c.h"
function tidy(path,    part, n, i, top, stack, out) {
    n = split(path, part, "/"); top = 0
    for (i = 1; i <= n; i++) {
        if (part[i] == "." || part[i] == "") continue
        if (part[i] == ".." && top > 0) top--
        else stack[++top] = part[i]
    }
    out = stack[1]
    for (i = 2; i <= top; i++) out = out "/" stack[i]
    return out
}

function module_of(path,    part) {
    if (path == "src/main.c") return "main"
    if (split(path, part, "/") > 2 && part[1] == "src") return part[2]
    if (part[1] == "include") return owner[part[2]]
    return ""
}

{ files[++n_files] = $0; exists[$0] = 1 }

# The owners of the public headers, from the names of the sources.
function find_owners(    i, part, n, name, h) {
    for (i = 1; i <= n_files; i++) {
        n = split(files[i], part, "/")
        if (part[1] != "src" || n < 3 || part[n] !~ /\.c$/) continue
        name = part[n]; sub(/\.c$/, ".h", name)
        if (!exists["include/" name]) continue
        if (sources[name] != "" && sources[name] != part[2]) twice[name] = 1
        sources[name] = part[2]
    }
    for (i = 1; i <= n_files; i++) {
        if (files[i] !~ /^include\//) continue
        h = substr(files[i], 9)
        if (h in owner) continue
        if (twice[h]) complain(files[i] ": two modules have a source of this name: put it into the table of layers.sh")
        else if (sources[h] == "") complain(files[i] ": no module implements it: put it into the table of layers.sh")
        owner[h] = sources[h]
    }
}

function check(file,    line, name, dir, target, from, to, number) {
    from = module_of(file)
    if (from == "") return
    if (!(from in may)) { complain(file ": unknown module " from); return }
    dir = file; sub(/[^\/]*$/, "", dir)
    number = 0
    while ((getline line < file) > 0) {
        number++
        if (line !~ /^[ \t]*#[ \t]*include[ \t]*"/) continue
        name = line; sub(/^[^"]*"/, "", name); sub(/".*$/, "", name)
        target = tidy(dir name)
        if (!(target in exists)) target = tidy("include/" name)
        if (!(target in exists)) { complain(file ":" number ": \"" name "\" is not in the tree"); continue }
        to = module_of(target)
        n_checked++
        if (to != "" && !ok[from, to])
            complain(file ":" number ": " from " may not include \"" name "\" of " to)
    }
    close(file)
}

END {
    find_owners()
    for (f = 1; f <= n_files; f++) check(files[f])
    if (bad) { print "layers: " bad " violations"; exit 1 }
    print "layers: " n_checked " includes of " n_files " files point downwards"
}'
