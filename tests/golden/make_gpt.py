#!/usr/bin/python3
"""Writes gpt.json: the decoder-only transformer over codes (16 tokens, 191 places, four blocks of width 128) in
PyTorch, written from its definition, in double precision without dropout: samples of its logits, its loss and
every gradient, for test_codes.c. Weights come from the integer hash of musegan_torch.py under jamroll's
names. Run in this folder."""
import json
import math
import numpy as np
import torch
import torch.nn.functional as F
import musegan_torch as M

N, T, V, D, H, L, PLACES = 2, 191, 16, 128, 8, 4, 191
W = {}


def weight(name, *shape):
    if name not in W:
        u = M.hashed(name, int(np.prod(shape))).reshape(shape)
        u = 1 + 0.2 * u if name.endswith("gamma") else 0.1 * u
        W[name] = torch.tensor(u, dtype=torch.float64, requires_grad=True)
    return W[name]


def linear(name, x, out, bias=True):
    y = x @ weight(name + ".w", x.shape[-1], out)
    return y + weight(name + ".b", out) if bias else y


def norm(name, x):
    return F.layer_norm(x, (D,), weight(name + ".gamma", D), weight(name + ".beta", D), 1e-5)


def split(x):
    return x.view(N, T, H, D // H).transpose(1, 2)


def block(name, x):
    y = norm(name + ".norm1", x)
    q, k, v = (split(linear(name + part, y, D)) for part in (".q", ".k", ".v"))
    a = q @ k.transpose(-2, -1) / math.sqrt(D // H)
    a = a.masked_fill(torch.triu(torch.ones(T, T), 1).bool(), -math.inf).softmax(-1)
    x = x + linear(name + ".proj", (a @ v).transpose(1, 2).reshape(N, T, D), D)
    y = F.gelu(linear(name + ".up", norm(name + ".norm2", x), 4 * D), approximate="tanh")
    return x + linear(name + ".down", y, D)


token = torch.tensor((M.hashed("token", N * T) * 8 + 8).astype(np.int64).reshape(N, T))
target = torch.tensor((M.hashed("target", N * T) * 8 + 8).astype(np.int64))
x = weight("embed.token.w", V, D)[token] + weight("embed.place.w", PLACES, D)[:T]
for i in range(L):
    x = block(f"block.{i}", x)
logits = linear("head.token.out", norm("norm", x), V, bias=False).view(N * T, V)
loss = F.cross_entropy(logits, target)
loss.backward()


def sampled(t, n):
    v = t.detach().reshape(-1)
    step = max(1, v.numel() // n)
    return {"norm": v.norm().item(), "step": step, "at": [round(x, 12) for x in v[::step][:n].tolist()]}


out = {"params": sum(w.numel() for w in W.values()), "loss": loss.item(), "logits": sampled(logits, 64),
       "grads": {k: sampled(w.grad, 8) for k, w in W.items()}}
with open("gpt.json", "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
