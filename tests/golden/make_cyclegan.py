#!/usr/bin/python3
"""Writes cyclegan.json: the networks of cyclegan_torch.py at full size in double precision: samples of their outputs and
of every gradient, for test_cyclegan.c. Run in this folder."""
import json
import torch
import torch.nn.functional as F
import cyclegan_torch as C
import musegan_torch as M

N = 2
f64 = torch.float64


def grids(name):
    return torch.tensor(M.hashed(name, N * 64 * 84) > 0.9, dtype=f64).view(N, 1, 64, 84)


def sampled(t, n=24):
    v = t.detach().reshape(-1)
    step = max(1, v.numel() // n)
    return {"norm": v.norm().item(), "step": step, "at": [round(a, 12) for a in v[::step][:n].tolist()]}


def result(net, y, channels_last):
    """Outputs, and gradients of the mean square distance of the output from a made target."""
    want = torch.tensor(M.hashed("target", y.numel()), dtype=f64).view_as(y)
    loss = (y - want).square().mean()
    loss.backward()
    shown = y.permute(0, 2, 3, 1) if channels_last else y
    return {"out": sampled(shown), "loss": loss.item(), "params": sum(w.numel() for w in net.w.values()),
            "grads": {k: sampled(w.grad, 8) for k, w in net.w.items()}}


out = {}
net = C.Net(f64)
out["generator"] = result(net, net.generator("g.ab", grids("grids")), True)
for name, kernels in ("critic", (7, 7, 7)), ("paper", (4, 4, 1)):
    net = C.Net(f64)
    out[name] = result(net, net.critic("d.a", grids("grids"), kernels), True)
net = C.Net(f64)
out["judge"] = result(net, net.judge(2 * grids("grids") - 1), False)

# The losses of a small pair of networks, for the training graphs.
net, size = C.Net(f64), {"width": 8, "blocks": 2}
a, b, m = grids("a"), grids("b"), grids("m")
cycle, fool, fake_a, fake_b = net.g_loss(a, b, extra=True, **size)
(cycle + fool).backward()
steps = {"cycle": cycle.item(), "fool": fool.item(), "grads": {k: sampled(w.grad, 8) for k, w in net.w.items() if k[0] == "g"}}
fake_a, fake_b = fake_a.detach(), fake_b.detach()
for w in net.w.values():
    w.grad = None
critic = sum(net.d_loss(real, fake, d, **size) for real, fake, d in
             ((a, fake_a, "d.a"), (b, fake_b, "d.b"), (m, fake_a, "d.am"), (m, fake_b, "d.bm")))
critic.backward()
steps["critic"] = critic.item()
steps["grads"].update({k: sampled(w.grad, 8) for k, w in net.w.items() if k[0] == "d"})
out["training"] = steps
with open("cyclegan.json", "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
