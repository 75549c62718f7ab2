#!/usr/bin/python3
"""Writes musegan_house.json for test_musegan_house.c: of each variant in full size and in double precision, the cells its
generator makes, its loss through its critic with the gradients of one training step, and, once for each critic, its loss
with gradient penalty and its gradients. A batch holds 8 bars. Of a tensor v two numbers are stored: its norm, and its product with a vector of
hashed numbers, which no exchange of two values leaves alone. "single" is how far PyTorch in single precision is off the
same numbers. Run in this folder: ./make_musegan_house.py, or with names of variants whose generator's step to do again."""
import json
import sys
import numpy as np
import torch
import musegan_torch as M
import musegan_house as H

torch.set_num_threads(1)
PIANO = 1

# name: generator, critic, bars, steps, condition, neurons, refiner
VARIANTS = {
    "bad-time": ("bad-time", "no-chroma", 4, 48, -1, "", False),
    "bad-pitch": ("bad-pitch", "no-onset", 4, 48, -1, "", False),
    "neurons": ("bad-time", "bare", 4, 48, -1, "stochastic", False),
    "jamming": ("jamming", "phrase-each", 4, 96, -1, "", False),
    "composer": ("composer", "phrase", 4, 96, -1, "", False),
    "hybrid": ("hybrid", "phrase", 4, 96, -1, "", False),
    "jamming-piano": ("jamming", "phrase-each", 4, 96, PIANO, "", False),
    "composer-piano": ("composer", "phrase", 4, 96, PIANO, "", False),
    "hybrid-piano": ("hybrid", "phrase", 4, 96, PIANO, "", False),
    "jamming-bar": ("jamming", "phrase", 1, 96, -1, "", False),
    "composer-bar": ("composer", "phrase", 1, 96, -1, "", False),
    "hybrid-bar": ("hybrid", "phrase", 1, 96, -1, "", False),
    "hybrid-bar-piano": ("hybrid", "phrase", 1, 96, PIANO, "", False),
    "binary": ("binary", "binary", 4, 96, -1, "", False),
    "binary-small": ("binary-small", "binary-small", 4, 96, -1, "", False),
    "binary-jamming": ("binary-jamming", "binary", 4, 96, -1, "", False),
    "binary-composer": ("binary-composer", "binary", 4, 96, -1, "", False),
    "binary-hybrid": ("binary-hybrid", "binary", 4, 96, -1, "", False),
    "refiner": ("binary-small", "binary-small", 4, 96, -1, "", True),
}
SLOPE = 2


def channels_first(a, dtype):
    return torch.tensor(a, dtype=dtype).permute(0, 4, 1, 2, 3)


def two(name, v):
    v = v.detach().double().reshape(-1)
    return [v.norm().item(), (v @ torch.tensor(M.hashed("dot." + name, v.numel()))).item()]


def n_latents(kind, bars, role):
    kind = kind.replace("binary-", "")
    band_bar, track_bar, band, track = H.WIDTHS.get(kind, (0, 0, 128, 0))
    return band_bar + band + (5 - (role >= 0)) * (track_bar + track)


def cells(W, v, z, condition, batch, draw):
    """[N, 5, bars, steps, pitches] in [-1, 1]"""
    kind, _, bars, _, role, neurons, with_refiner = v
    frozen = batch and with_refiner  # a refiner learns behind a generator that stays as it is
    if kind.startswith("bad"):
        x, unit = H.bad_generator(W, kind, z, batch and not frozen), 1
    elif kind.startswith("binary"):
        x, unit = H.binary_generator(W, kind, z, batch and not frozen), 0.5
    else:
        x, unit = H.paper_generator(W, kind, z, bars, condition, role, batch), 1
    if with_refiner:
        x, unit = H.refiner(W, torch.sigmoid(2 * unit * x), batch), 0.5
    if neurons:
        p = torch.sigmoid(SLOPE * x)
        return 2 * (H.Fired.apply(p, draw if neurons == "stochastic" else torch.full_like(p, 0.5)) if batch else p) - 1
    x = torch.tanh(unit * x)
    return x if role < 0 else torch.cat([x[:, :role], condition, x[:, role:]], 1)


def learnt(name, v, dtype, draw_number):
    """The generator's step."""
    kind, critic, bars, steps, role, neurons, with_refiner = v
    W, n, out = M.Weights(dtype), 8 // bars, {}
    shape, k = (n, bars, steps, 84, 5), n_latents(kind, bars, role)
    z = torch.tensor((2 * M.hashed(f"z.{name}.{draw_number}", n * k)).astype(np.float32).reshape(n, k), dtype=dtype)
    condition = channels_first(M.phrase("condition", shape[:4] + (1,)), dtype) if role >= 0 else None
    draw = channels_first((0.5 + 0.5 * M.hashed("draw", int(np.prod(shape)))).astype(np.float32).reshape(shape), dtype)
    out["played"] = two("cells", cells(W, v, z, condition, False, draw).permute(0, 2, 3, 4, 1))
    x = cells(W, v, z, condition, True, draw)
    if not neurons:
        out["cells"] = two("cells", x.permute(0, 2, 3, 4, 1))
    prefix = "r." if with_refiner else "g."
    out["generator"] = grads(-H.critic(W, critic, x, role).mean(), W.trained(prefix))
    return out, [sum(p.numel() for p in W.trained(q).values()) for q in (prefix, "d.")]


def judged(v, dtype):
    """The critic's."""
    _, critic, bars, steps, role, _, _ = v
    W, n = M.Weights(dtype), 8 // bars
    shape = (n, bars, steps, 84, 5)
    real = channels_first(M.phrase("real", shape), dtype)
    fake = channels_first(M.hashed("fake", int(np.prod(shape))).astype(np.float32).reshape(shape), dtype)
    share = torch.tensor((0.5 + 0.5 * M.hashed("share", n)).astype(np.float32).reshape(n, 1, 1, 1, 1), dtype=dtype)
    loss = H.critic(W, critic, fake, role).mean() - H.critic(W, critic, real, role).mean()
    loss = loss + 10 * H.penalty(W, critic, real, fake, share, role)
    return grads(loss, W.trained("d."))


def grads(loss, params):
    found = torch.autograd.grad(loss, list(params.values()), allow_unused=True)
    g = {k: two(k, x if x is not None else torch.zeros_like(p)) for (k, p), x in zip(params.items(), found)}
    g["loss"] = [abs(loss.item()), loss.item()]
    return g


def apart(a, b):
    """How far b's two numbers are off a's."""
    if isinstance(a, dict):
        return max(apart(a[k], b[k]) for k in a)
    return max(abs(a[0] - b[0]), abs(a[1] - b[1])) / a[0] if a[0] > 1e-9 else b[0]


def rounded(o):
    return {k: rounded(x) for k, x in o.items()} if isinstance(o, dict) else [float(f"{x:.8g}") for x in o]


if __name__ == "__main__":
    seen, only = set(), sys.argv[1:]
    out = json.load(open("musegan_house.json")) if only else {}
    for name, v in VARIANTS.items():
        critic = v[1:4] + (v[4] if v[1] == "phrase-each" else -1,)
        first = critic not in seen
        seen.add(critic)
        if only and name not in only:
            continue
        best = None
        for k in range(6):  # latents of which no unit comes close to the kink of its rectifier
            (exact, counts), (single, _) = learnt(name, v, torch.float64, k), learnt(name, v, torch.float32, k)
            off = {key: apart(exact[key], single[key]) for key in exact}
            if not best or off["generator"] < best[2]["generator"]:
                best = k, exact, off
            if off["generator"] < 5e-5:
                break
        k, exact, off = best
        if first and not only:
            exact["critic"] = judged(v, torch.float64)
            off["critic"] = apart(exact["critic"], judged(v, torch.float32))
        elif first:
            exact["critic"], off["critic"] = out[name]["critic"], out[name]["single"]["critic"]
        out[name] = {key: rounded(x) for key, x in exact.items()}
        out[name] |= {"draw": k, "parameters": counts, "single": {key: float(f"{x:.2g}") for key, x in off.items()}}
        print(name, k, counts, out[name]["single"], flush=True)
        with open("musegan_house.json", "w") as f:
            json.dump(out, f, separators=(",", ":"))
            f.write("\n")
