"""The three MuseGAN networks in PyTorch, written from their definition as 3-D convolutions (not from
jamroll's own form, which is matrix products), and the integer hash that both sides fill tensors with.
Used by make_musegan.py (double precision) and by the benchmark (single)."""
import math
import numpy as np
import torch
import torch.nn.functional as F

ROLES = ["drums", "piano", "guitar", "bass", "strings"]


def hashed(name, n):
    """n numbers in [-1, 1), the same in C: hashed() of tests/unit/test_musegan.c."""
    seed = 2166136261
    for ch in name.encode():
        seed = (seed ^ ch) * 16777619 & 0xFFFFFFFF
    h = np.arange(n, dtype=np.uint64) * 2654435761 + seed & 0xFFFFFFFF
    for shift, factor in ((16, 2246822519), (13, 3266489917)):
        h = (h ^ h >> np.uint64(shift)) * factor & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    return (h >> np.uint64(8)).astype(np.float64) / 2.0**23 - 1


def phrase(name, shape):
    """Mostly silent cells in {-1, 1}."""
    u = hashed(name, int(np.prod(shape))).reshape(shape)
    return np.where(u > 0.8, 1.0, -1.0)


class Weights:
    """Parameters by jamroll's names and shapes, made on first use."""

    def __init__(self, dtype):
        self.dtype, self.t = dtype, {}

    def get(self, name, shape, trained=True):
        if name not in self.t:
            u = hashed(name, int(np.prod(shape))).reshape(shape)
            kind = name.rsplit(".", 1)[1]
            value = {"w": lambda: u * math.sqrt(6.0 * shape[-1] / u.size), "b": lambda: 0.1 * u, "gamma": lambda: 1 + 0.2 * u,
                     "beta": lambda: 0.1 * u, "mean": lambda: 0.1 * u, "var": lambda: 1 + 0.5 * u}[kind]()
            if self.dtype == torch.float64:
                value = value.astype(np.float32)  # jamroll holds single precision
            self.t[name] = torch.tensor(value, dtype=self.dtype, requires_grad=trained)
        return self.t[name]

    def trained(self, prefix):
        return {k: v for k, v in self.t.items() if k.startswith(prefix) and v.requires_grad}


def conv(W, name, x, out, k, s=None):
    cin = x.shape[1]
    w = W.get(name + ".w", (k[0] * k[1] * k[2] * cin, out)).reshape(*k, cin, out).permute(4, 3, 0, 1, 2)
    return F.conv3d(x, w, W.get(name + ".b", (out,)), stride=s or k)


def tconv(W, name, x, out, k, s=None):
    cin = x.shape[1]
    w = W.get(name + ".w", (cin, k[0] * k[1] * k[2] * out)).reshape(cin, *k, out).permute(0, 4, 1, 2, 3)
    return F.conv_transpose3d(x, w, W.get(name + ".b", (out,)), stride=s or k)


def norm(W, name, x, batch):
    c = x.shape[1]
    mean, var = W.get(name + ".mean", (c,), False), W.get(name + ".var", (c,), False)
    gamma, beta = W.get(name + ".gamma", (c,)), W.get(name + ".beta", (c,))
    if batch:
        return F.batch_norm(x, None, None, gamma, beta, True, 0, 1e-3)
    return F.batch_norm(x, mean, var, gamma, beta, False, 0, 1e-3)


def encoder(W, c, batch):
    def layer(name, x, out, k, s=None):
        return F.relu(norm(W, "g.enc." + name, conv(W, "g.enc." + name, x, out, k, s), batch))
    m = {}
    m["pt1"] = layer("pt1", c, 16, (1, 1, 12))
    m["pt2"] = layer("pt2", m["pt1"], 32, (1, 3, 1))
    m["tp1"] = layer("tp1", c, 16, (1, 3, 1))
    m["tp2"] = layer("tp2", m["tp1"], 32, (1, 1, 12))
    m["s1"] = layer("shared1", torch.cat([m["tp2"], m["pt2"]], 1), 64, (1, 4, 3), (1, 4, 2))
    m["s2"] = layer("shared2", m["s1"], 128, (1, 4, 3))
    m["s3"] = layer("shared3", m["s2"], 256, (4, 1, 1))
    return m


def generator(W, z, condition=None, role=-1, batch=False):
    """z [N,128], condition [N,1,B,T,P] -> [N,5,B,T,P]"""
    m = encoder(W, condition, batch) if condition is not None else {}

    def layer(name, x, join, out, k, s=None, relu=True):
        if join in m:
            x = torch.cat([x, m[join]], 1)
        y = norm(W, "g." + name, tconv(W, "g." + name, x, out, k, s), batch)
        return F.relu(y) if relu else y
    x = z.reshape(z.shape[0], 128, 1, 1, 1)
    x = layer("shared1", x, "s3", 512, (4, 1, 1))
    x = layer("shared2", x, "s2", 256, (1, 4, 3))
    x = layer("shared3", x, "s1", 128, (1, 4, 3), (1, 4, 2))
    tracks = []
    for i, r in enumerate(ROLES):
        if i == role:
            tracks.append(condition)
            continue
        pt = layer(r + ".pt1", x, "tp2", 32, (1, 1, 12))
        pt = layer(r + ".pt2", pt, "tp1", 16, (1, 3, 1))
        tp = layer(r + ".tp1", x, "pt2", 32, (1, 3, 1))
        tp = layer(r + ".tp2", tp, "pt1", 16, (1, 1, 12))
        tracks.append(torch.tanh(layer(r + ".merge", torch.cat([pt, tp], 1), "", 1, (1, 1, 1), relu=False)))
    return torch.cat(tracks, 1)


def critic(W, x):
    """x [N,5,B,T,P] -> [N*3,1]"""
    def layer(name, y, out, k, s=None):
        return F.leaky_relu(conv(W, "d." + name, y, out, k, s), 0.2)
    n, tracks, bars = x.shape[:3]
    private = []
    for r in ROLES:
        pt = layer(r + ".pt2", layer(r + ".pt1", x, 16, (1, 1, 12)), 32, (1, 3, 1))
        tp = layer(r + ".tp2", layer(r + ".tp1", x, 16, (1, 3, 1)), 32, (1, 1, 12))
        private.append(layer(r + ".merge", torch.cat([pt, tp], 1), 64, (1, 1, 1)))
    y = layer("shared1", torch.cat(private, 1), 128, (1, 4, 3), (1, 4, 2))
    y = layer("shared2", y, 256, (1, 4, 3))
    chroma = x.reshape(n, tracks, bars, 4, 12, 7, 12).sum(dim=(4, 5))
    chroma = layer("chroma2", layer("chroma1", chroma, 32, (1, 1, 12)), 64, (1, 4, 1))
    onset = x.clone()
    onset[:, :, :, 1:] = x[:, :, :, 1:] - x[:, :, :, :-1]
    onset = onset.sum(dim=4, keepdim=True)
    onset = layer("onset3", layer("onset2", layer("onset1", onset, 16, (1, 3, 1)), 32, (1, 4, 1)), 64, (1, 4, 1))
    y = layer("merge", torch.cat([y, chroma, onset], 1), 512, (2, 1, 1), (1, 1, 1))
    y = y.reshape(n, 512, bars - 1).permute(0, 2, 1).reshape(n * (bars - 1), 512)
    return y @ W.get("d.score.w", (512, 1)) + W.get("d.score.b", (1,))


def penalty(W, real, fake, share):
    mixed = (share * real + (1 - share) * fake).detach().requires_grad_()
    slope, = torch.autograd.grad(critic(W, mixed).sum(), mixed, create_graph=True)
    length = (1e-8 + (slope ** 2).flatten(1).sum(1)).sqrt()
    return ((length - 1) ** 2).mean()
