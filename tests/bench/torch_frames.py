#!/usr/bin/python3
"""The same work as bench_frames.c in PyTorch: one JSON line a task with the median and the best of a few repeats."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import torch
import torch_beside as beside
import frames_torch as R

net = R.Net(0.3)
nadam = torch.optim.NAdam(net.parameters(), 1e-3, eps=1e-7, **beside.OPTIMISER)


def frame(n):
    token = torch.randint(1, R.V, (n, R.WINDOW))

    def work():
        net.eval()
        with torch.no_grad():
            net(token)
    return work


def step(n):
    token, target = torch.randint(1, R.V, (n, R.WINDOW)), torch.randint(1, R.V, (n,))

    def work():
        net.train()
        nadam.zero_grad()
        torch.nn.functional.cross_entropy(net(token), target).backward()
        nadam.step()
    return work


for task, repeats, work in (("frame 1", 31, frame(1)), ("frame 8", 15, frame(8)), ("step 64", 7, step(64))):
    beside.report(task, repeats, 2, work)
