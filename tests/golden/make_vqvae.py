#!/usr/bin/python3
"""Writes vqvae.json: the VQ-VAE of vqvae_torch.py in double precision: samples of its latents, codes and losses, of every
gradient, and of the codebook after an update by moving averages, for test_vqvae.c. Run in this folder."""
import json
import torch
import musegan_torch as M
import vqvae_torch as V

N = 3
net = V.Net(torch.float64)
cells = torch.tensor(M.hashed("quarters", N * 88 * 32) > 0.8, dtype=torch.float64).view(N, 1, 88, 32)
book = net.weight("vq.book", V.K, V.D).detach() * 2
z, codes, logits, recon, commit = net.forward(cells, book)
(recon + commit).backward()
count = net.weight("vq.book.count", V.K, 1).detach().abs()[:, 0] + 1
count, total = V.moved(count, net.weight("vq.book.sum", V.K, V.D).detach(), z, codes)


def sampled(t, n=24):
    v = t.detach().reshape(-1)
    step = max(1, v.numel() // n)
    return {"norm": v.norm().item(), "step": step, "at": [round(a, 12) for a in v[::step][:n].tolist()]}


out = {
    "latent": sampled(z), "codes": codes.tolist(), "recon": recon.item(), "commit": commit.item(),
    "logits": sampled(logits.permute(0, 2, 3, 1)), "book": sampled(total / count[:, None]),
    "grads": {k: sampled(w.grad, 8) for k, w in net.w.items() if w.grad is not None},
}
with open("vqvae.json", "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
