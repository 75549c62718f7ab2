#!/usr/bin/python3
"""Writes frames.json: the network of frames_torch.py in double precision, without dropout: samples of its logits, its loss
and every gradient, for test_frames.c. Weights come from the integer hash of musegan_torch.py under jamroll's names and in
its layout; PyTorch's gates are in another order. Run in this folder."""
import json
import numpy as np
import torch
import frames_torch as R
import musegan_torch as M

N, W = 3, {}
net = R.Net().double()


def weight(name, *shape):
    W[name] = torch.tensor(0.1 * M.hashed(name, int(np.prod(shape))).reshape(shape), dtype=torch.float64, requires_grad=True)
    return W[name]


def gates(t):
    """jamroll's z, r, candidate in the last axis as PyTorch's r, z, candidate in the first."""
    z, r, n = t.chunk(3, -1)
    return torch.cat((r, z, n), -1).movedim(-1, 0)


params = {"token.weight": weight("token.w", R.V, R.EMBED)}
for i, width in enumerate((R.EMBED, 2 * R.H, 2 * R.H)):
    name = f"gru{i + 1}"
    w, b = weight(name + ".w", width, 6 * R.H).view(width, 2, 3 * R.H), weight(name + ".b", 6 * R.H).view(2, 3 * R.H)
    u, c = weight(name + ".u", 2, R.H, 3 * R.H), weight(name + ".c", 2, 3 * R.H)
    for d, way in enumerate(("", "_reverse")):
        params |= {f"gru.{i}.weight_ih_l0{way}": gates(w[:, d]), f"gru.{i}.weight_hh_l0{way}": gates(u[d]),
                   f"gru.{i}.bias_ih_l0{way}": gates(b[d]), f"gru.{i}.bias_hh_l0{way}": gates(c[d])}
for name, a, b in (("dense", 2 * R.H, R.HIDDEN), ("out", R.HIDDEN, R.V)):
    params |= {f"{name}.weight": weight(name + ".w", a, b).T, f"{name}.bias": weight(name + ".b", b)}

token = torch.tensor(((M.hashed("tokens", N * R.WINDOW) + 1) * 101).astype(np.int64).reshape(N, R.WINDOW))
target = torch.tensor(((M.hashed("targets", N) + 1) * 101).astype(np.int64))
logits = torch.func.functional_call(net, params, (token,))
loss = torch.nn.functional.cross_entropy(logits, target)
loss.backward()


def sampled(t, n):
    v = t.detach().reshape(-1)
    step = max(1, v.numel() // n)
    return {"norm": v.norm().item(), "step": step, "at": [round(a, 12) for a in v[::step][:n].tolist()]}


out = {"params": sum(w.numel() for w in W.values()), "loss": loss.item(), "logits": sampled(logits, 64),
       "grads": {k: sampled(w.grad, 12) for k, w in W.items()}}
with open("frames.json", "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
