#!/usr/bin/python3
"""Writes vqvae.json: the convolutional VQ-VAE over quarters of piano music (88 keys by 32 columns, 16 codes of width
128) in PyTorch, written from its definition, in double precision: samples of its latents, codes and losses, of every
gradient, and of the codebook after an update by moving averages, for test_vqvae.c. Weights come from the integer
hash of musegan_torch.py under jamroll's names and in its layout. Run in this folder."""
import json
import numpy as np
import torch
import torch.nn.functional as F
import musegan_torch as M

N, K, D = 3, 16, 128
W = {}


def hashed_weight(name, *shape):
    if name not in W:
        u = M.hashed(name, int(np.prod(shape))).reshape(shape)
        u = u * np.sqrt(3.0 * shape[-1] / np.prod(shape)) if name.endswith(".w") else 0.1 * u
        W[name] = torch.tensor(u, dtype=torch.float64, requires_grad=True)
    return W[name]


def kernel(name, kh, kw, a, b):
    """jamroll's [1, keys, columns, a, b] as PyTorch's [b, a, keys, columns]."""
    return hashed_weight(name + ".w", 1, kh, kw, a, b)[0].permute(3, 2, 0, 1)


def conv(name, x, out, kh, kw, stride, pad, bias=True):
    b = hashed_weight(name + ".b", out) if bias else None
    return F.conv2d(x, kernel(name, kh, kw, x.shape[1], out), b, stride, pad)


def conv_t(name, x, out, kh, kw, stride, pad):
    return F.conv_transpose2d(x, kernel(name, kh, kw, out, x.shape[1]), hashed_weight(name + ".b", out), stride, pad)


def residuals(part, x):
    for i in (1, 2):
        x = F.relu(x)
        h = F.relu(conv(f"vq.{part}.res.{i}.1", x, 32, 3, 3, 1, 1, False))
        x = x + conv(f"vq.{part}.res.{i}.2", h, D, 1, 1, 1, 0, False)
    return F.relu(x)


cells = torch.tensor(M.hashed("quarters", N * 88 * 32) > 0.8, dtype=torch.float64).view(N, 1, 88, 32)
x = F.relu(conv("vq.enc.1", cells, 32, 4, 4, 2, 1))
x = F.relu(conv("vq.enc.2", x, 64, 4, 4, 2, 1))
x = F.relu(conv("vq.enc.3", x, 128, 6, 4, 2, 1))
x = residuals("enc", conv("vq.enc.4", x, D, 3, 3, 1, 0))
z = x.permute(0, 2, 3, 1).reshape(-1, D) @ hashed_weight("vq.pre.w", D, D) + hashed_weight("vq.pre.b", D)
book = hashed_weight("vq.book", K, D).detach() * 2
codes = torch.cdist(z, book).argmin(1)
q = book[codes]
straight = z + (q - z).detach()
y = residuals("dec", straight.view(N, 8, 2, D).permute(0, 3, 1, 2))
y = F.relu(conv_t("vq.dec.1", y, 128, 3, 3, 1, 0))
y = F.relu(conv_t("vq.dec.2", y, 64, 6, 4, 2, 1))
y = F.relu(conv_t("vq.dec.3", y, 32, 4, 4, 2, 1))
logits = conv_t("vq.dec.4", y, 1, 4, 4, 2, 1)
recon = F.binary_cross_entropy_with_logits(logits, cells)
commit = 0.25 * F.mse_loss(z, q)
(recon + commit).backward()

count = hashed_weight("vq.book.count", K, 1).detach().abs()[:, 0] + 1
total = hashed_weight("vq.book.sum", K, D).detach()
one_hot = F.one_hot(codes, K).double()
count = 0.99 * count + 0.01 * one_hot.sum(0)
count = (count + 1e-5) / (count.sum() + K * 1e-5) * count.sum()
total = 0.99 * total + 0.01 * one_hot.T @ z.detach()


def sampled(t, n=24):
    v = t.detach().reshape(-1)
    step = max(1, v.numel() // n)
    return {"norm": v.norm().item(), "step": step, "at": [round(a, 12) for a in v[::step][:n].tolist()]}


out = {
    "latent": sampled(z), "codes": codes.tolist(), "recon": recon.item(), "commit": commit.item(),
    "logits": sampled(logits.permute(0, 2, 3, 1)), "book": sampled(total / count[:, None]),
    "grads": {k: sampled(w.grad, 8) for k, w in W.items() if w.grad is not None},
}
with open("vqvae.json", "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
print(out["recon"], out["commit"], sorted(set(out["codes"])), len(out["grads"]))
