#!/usr/bin/python3
"""The same work as bench_musegan.c in PyTorch, tuned as far as the environment lets it be: one JSON line a
task with the median of a few repeats. Started by bench_musegan, which prints both beside each other."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import torch
import musegan_torch as M

torch.set_num_threads(int(sys.argv[1]))
only = sys.argv[2:]
W = M.Weights(torch.float32)


def report(task, repeats, warm, work):
    if only and task not in only:
        return
    for _ in range(warm):
        work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    times.sort()
    print(json.dumps({"task": task, "ms": 1e3 * times[len(times) // 2], "best": 1e3 * times[0]}), flush=True)


def forward(n):
    z = torch.randn(n, 128)

    def work():
        with torch.no_grad():
            M.generator(W, z)
    return work


def iteration(n):
    with torch.no_grad():
        M.critic(W, M.generator(W, torch.randn(1, 128)))
    d, g = list(W.trained("d.").values()), list(W.trained("g.").values())
    adam_d = torch.optim.Adam(d, 1e-3, (0.5, 0.9))
    adam_g = torch.optim.Adam(g, 1e-3, (0.5, 0.9))
    real = torch.where(torch.rand(n, 5, 4, 48, 84) > 0.97, 1.0, -1.0)

    def work():
        for _ in range(5):
            with torch.no_grad():
                fake = M.generator(W, torch.randn(n, 128), batch=True)
            loss = M.critic(W, fake).mean() - M.critic(W, real).mean()
            loss = loss + 10 * M.penalty(W, real, fake, torch.rand(n, 1, 1, 1, 1))
            adam_d.zero_grad()
            loss.backward()
            adam_d.step()
        adam_g.zero_grad()
        (-M.critic(W, M.generator(W, torch.randn(n, 128), batch=True)).mean()).backward()
        adam_g.step()
    return work


report("forward 1", 15, 3, forward(1))
report("forward 64", 3, 1, forward(64))
if not only or "iteration 64" in only:
    report("iteration 64", 1, 0, iteration(64))
