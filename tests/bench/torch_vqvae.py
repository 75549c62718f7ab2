#!/usr/bin/python3
"""The same work as bench_vqvae.c in PyTorch: one JSON line a task with the median and the best of a few repeats."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import torch
import vqvae_torch as V

torch.set_num_threads(int(sys.argv[1]))
net, book = V.Net(torch.float32), torch.randn(V.K, V.D)
net.forward((torch.rand(1, 1, 88, 32) > 0.97).float(), book)


def decode(n):
    codes = torch.randint(V.K, (16 * n,))

    def work():
        with torch.no_grad():
            torch.sigmoid(net.decode(book[codes]))
    return work


def step(n):
    params = list(net.w.values())
    adam = torch.optim.Adam(params, 1e-3)
    state = {"book": book, "count": torch.ones(V.K), "sum": book.clone()}

    def work():
        cells = (torch.rand(n, 1, 88, 32) > 0.97).float()
        z, codes, _, recon, commit = net.forward(cells, state["book"])
        adam.zero_grad()
        (recon + commit).backward()
        adam.step()
        state["count"], state["sum"] = V.moved(state["count"], state["sum"], z, codes)
        state["book"] = state["sum"] / state["count"][:, None]
    return work


for task, repeats, work in (("decode 1", 31, decode(1)), ("decode 32", 9, decode(32)), ("step 32", 7, step(32))):
    if len(sys.argv) > 2 and task not in sys.argv[2:]:
        continue
    for _ in range(2):
        work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    times.sort()
    print(json.dumps({"task": task, "ms": 1e3 * times[len(times) // 2], "best": 1e3 * times[0]}), flush=True)
