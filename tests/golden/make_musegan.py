#!/usr/bin/python3
"""Writes musegan.json: outputs, losses and gradients of the full-size MuseGAN networks in double precision
at batch 3, for test_musegan.c. Weights and inputs come from the integer hash of musegan_torch.py, so only
samples of the results are stored. The latent "z5" is one of which no unit of the small layers comes close to
the kink of its rectifier, where single and double precision would part. Run in this folder: OPENBLAS_CORETYPE=SkylakeX ./make_musegan.py"""
import json
import torch
import torch.nn.functional as F
import musegan_torch as M

torch.set_num_threads(2)
N, PIANO, D = 3, 1, torch.float64


def channels_first(a):
    return torch.tensor(a, dtype=D).permute(0, 4, 1, 2, 3)


def sampled(t, n=24):
    """Norm, sum and n values at even strides of a tensor in jamroll's order."""
    v = t.detach().reshape(-1)
    step = max(1, v.numel() // n)
    return {"norm": v.norm().item(), "sum": v.sum().item(), "step": step, "at": [round(x, 12) for x in v[::step][:n].tolist()]}


def channels_last(t):
    return t.permute(0, 2, 3, 4, 1).contiguous()


def grads(loss, params):
    g = torch.autograd.grad(loss, list(params.values()), allow_unused=True)
    return {k: sampled(x if x is not None else torch.zeros_like(p), 8) for (k, p), x in zip(params.items(), g)}


shape = (N, 4, 48, 84, 5)
z = torch.tensor(2 * M.hashed("z5", N * 128).reshape(N, 128), dtype=D)
real = channels_first(M.phrase("real", shape))
fake = channels_first(M.hashed("fake", N * 4 * 48 * 84 * 5).reshape(shape))
condition = channels_first(M.phrase("condition", shape[:4] + (1,)))
share = torch.tensor(0.5 + 0.5 * M.hashed("share", N).reshape(N, 1, 1, 1, 1), dtype=D)
out = {}

for name, c, role in (("generator", None, -1), ("accompaniment", condition, PIANO)):
    W = M.Weights(D)
    for batch in (False, True):
        x = M.generator(W, z, c, role, batch)
        out[name + (".batch" if batch else ".moving")] = sampled(channels_last(x))
    out[name + ".params"] = sum(p.numel() for p in W.trained("g.").values())
    loss = -M.critic(W, x).mean()
    out[name + ".loss"] = loss.item()
    out[name + ".grads"] = grads(loss, W.trained("g."))

W = M.Weights(D)
on_real, on_fake = M.critic(W, real), M.critic(W, fake)
out["critic.params"] = sum(p.numel() for p in W.trained("d.").values())
out["critic.real"], out["critic.fake"] = on_real.flatten().tolist(), on_fake.flatten().tolist()
losses = {
    "wasserstein": (on_fake.mean() - on_real.mean(), -on_fake.mean()),
    "hinge": (F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean(), -on_fake.mean()),
    "nonsaturating": (F.softplus(-on_real).mean() + F.softplus(on_fake).mean(), F.softplus(-on_fake).mean()),
    "classic": (F.softplus(-on_real).mean() + F.softplus(on_fake).mean(), -F.softplus(on_fake).mean()),
}
out["losses"] = {k: [a.item(), b.item()] for k, (a, b) in losses.items()}
gp = M.penalty(W, real, fake, share)
out["penalty"] = gp.item()
out["penalty.grads"] = grads(gp, W.trained("d."))
out["critic.grads"] = grads(losses["wasserstein"][0] + 10 * M.penalty(W, real, fake, share), W.trained("d."))

with open("musegan.json", "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
