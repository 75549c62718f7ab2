#!/usr/bin/python3
"""The same work as bench_cyclegan.c in PyTorch: one JSON line a task with the median and the best of a few repeats."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import torch
import torch_beside as beside
import cyclegan_torch as C

net = C.Net(torch.float32)


def grids(n):
    return (torch.rand(n, 1, 64, 84) > 0.97).float()


def forward(n):
    x = grids(n)

    def work():
        with torch.no_grad():
            net.generator("g.ab", x)
    return work


def step(n):
    a, b = grids(n), grids(n)
    state = {}

    def work():
        if not state:
            net.g_loss(a, b)  # makes the weights
            for side in "gd":
                state[side] = torch.optim.Adam([w for k, w in net.w.items() if k[0] == side], 2e-4, (0.5, 0.999), **beside.OPTIMISER)
        critics = [w for k, w in net.w.items() if k[0] == "d"]
        for w in critics:
            w.requires_grad_(False)
        cycle, fool, fake_a, fake_b = net.g_loss(a, b)
        state["g"].zero_grad()
        (cycle + fool).backward()
        state["g"].step()
        for w in critics:
            w.requires_grad_(True)
        state["d"].zero_grad()
        (net.d_loss(a, fake_a.detach(), "d.a") + net.d_loss(b, fake_b.detach(), "d.b")).backward()
        state["d"].step()
    return work


TASKS = ("forward 1", 15, forward, 1), ("forward 16", 5, forward, 16), ("step 1", 5, step, 1), ("step 4", 3, step, 4)
for task, repeats, make, n in TASKS:
    if beside.wanted(task):
        work = make(n)
        beside.report(task, repeats, 2, work)
