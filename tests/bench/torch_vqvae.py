#!/usr/bin/python3
"""The same work as bench_vqvae.c in PyTorch: one JSON line a task with the median and the best of a few repeats."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import torch
import torch_beside as beside
import vqvae_torch as V

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
    adam = torch.optim.Adam(params, 1e-3, **beside.OPTIMISER)
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
    beside.report(task, repeats, 2, work)
