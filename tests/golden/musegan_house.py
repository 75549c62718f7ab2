"""The other networks of the GAN house in PyTorch, written as convolutions over (bar, time, pitch) from their definitions:
the paper's bar by bar networks, the later orders of layers, the networks of the binary neurons, and a refiner. The
default ones are in musegan_torch.py. Tensors are [N, channels, bars, steps, pitches]; cells are in [-1, 1]."""
import torch
import torch.nn.functional as F
from musegan_torch import ROLES, conv, tconv


class Style:
    """How a network is normed and bends."""

    def __init__(self, W, batch, eps, slope=0.0):
        self.W, self.batch, self.eps, self.slope = W, batch, eps, slope

    def norm(self, name, x):
        W, c, flat = self.W, x.shape[1], x
        gamma, beta = W.get(name + ".gamma", (c,)), W.get(name + ".beta", (c,))
        mean, var = W.get(name + ".mean", (c,), False), W.get(name + ".var", (c,), False)
        if self.batch:
            return F.batch_norm(flat, None, None, gamma, beta, True, 0, self.eps)
        return F.batch_norm(flat, mean, var, gamma, beta, False, 0, self.eps)

    def bend(self, x):
        return F.leaky_relu(x, self.slope)

    def up(self, name, x, out, k, s=None):
        return self.bend(self.norm(name, tconv(self.W, name, x, out, k, s)))

    def down(self, name, x, out, k, s=None):
        return self.bend(self.norm(name, conv(self.W, name, x, out, k, s)))

    def dense(self, name, z, out, places):
        """z [N, in] -> places * out values, each normed by itself, as [N, out, places]."""
        n = places * out
        y = z @ self.W.get(name + ".w", (z.shape[1], n)) + self.W.get(name + ".b", (n,))
        return self.bend(self.norm(name, y)).reshape(-1, places, out).transpose(1, 2)


def merged(S, prefix, x, widths, taps, out=1, octaves_last=False, time=12):
    """Two ways from a coarse map to all cells, merged to `out` channels."""
    pitch = (1, 1, 7 if octaves_last else 12)
    pt = S.up(prefix + "pt2", S.up(prefix + "pt1", x, widths[0], pitch), widths[1], (1, taps, 1))
    tp = S.up(prefix + "tp2", S.up(prefix + "tp1", x, widths[0], (1, taps, 1)), widths[1], pitch)
    return S.norm(prefix + "merge", tconv(S.W, prefix + "merge", torch.cat([pt, tp], 1), out, (1, 1, 1)))


# The paper: bars one by one, all of time before any pitch.

def paper_temporal(S, prefix, z, bars):
    """z [N, k] -> [N, bars, k]"""
    k = z.shape[1]
    x = S.up(prefix + "t0", z.reshape(-1, k, 1, 1, 1), 1024, (2, 1, 1))
    x = S.up(prefix + "t1", x, k, (bars - 1, 1, 1), (1, 1, 1))
    return x.reshape(-1, k, bars).transpose(1, 2)


def paper_encoder(S, c):
    """c [M, 1, 1, 96, 84] of single bars."""
    S, maps, x = Style(S.W, S.batch, S.eps, 0.2), [], c
    for i, k in enumerate(((1, 1, 12), (1, 1, 7), (1, 3, 1), (1, 2, 1), (1, 2, 1), (1, 2, 1), (1, 2, 1))):
        x = S.down(f"g.enc.e{i}", x, 16, k)
        maps.append(x)
    return maps


def paper_bar(S, prefix, z, maps, out):
    """z [M, 128] of single bars -> [M, out, 1, 96, 84] before tanh"""
    def with_map(x, i):
        return torch.cat([x, maps[i]], 1) if maps else x
    x = S.dense(prefix + "h0", z, 512, 2).reshape(-1, 512, 1, 2, 1)
    for i, (width, k) in enumerate(((512, 2), (256, 2), (256, 2), (128, 2), (128, 3))):
        x = S.up(f"{prefix}h{i + 1}", with_map(x, 6 - i), width, (1, k, 1))
    x = S.up(prefix + "h6", with_map(x, 1), 64, (1, 1, 7))
    return tconv(S.W, prefix + "h7", with_map(x, 0), out, (1, 1, 12))


def whole(x, bars):
    """[N * bars, C, 1, T, P] -> [N, C, bars, T, P]"""
    n = x.shape[0] // bars
    return x.reshape(n, bars, *x.shape[1:]).squeeze(3).transpose(1, 2)


def latents(widths, z, bars, temporal, S, tracks):
    """Cut z as [band by bar, band, then by bar and own of each track] -> bar vectors [N, bars, k] of each track (or one
    for all), in the order band by bar, track by bar, band, track."""
    at = 0

    def take(k):
        nonlocal at
        at += k
        return z[:, at - k:at]

    def timed(prefix, v):
        return temporal(S, prefix, v, bars)

    def held(v):
        return v.unsqueeze(1).expand(-1, bars, -1)
    band_bar, track_bar, band, track = widths
    if bars == 1:
        band_bar, track_bar, band, track = 0, 0, band_bar + band, track_bar + track
    shared_bar = [timed("g.temp.", take(band_bar))] if band_bar else []
    shared = [held(take(band))] if band else []
    if not track:
        return torch.cat(shared_bar + shared, 2)
    out = {}
    for r in tracks:
        own_bar = [timed(f"g.{r}.temp.", take(track_bar))] if track_bar else []
        out[r] = torch.cat(shared_bar + own_bar + shared + [held(take(track))], 2)
    return out


WIDTHS = {"jamming": (0, 64, 0, 64), "composer": (64, 0, 64, 0), "hybrid": (32, 32, 32, 32)}


def paper_generator(W, kind, z, bars, condition, role, batch):
    S = Style(W, batch, 1e-5)
    tracks = [r for i, r in enumerate(ROLES) if i != role]
    maps = None
    if condition is not None:
        maps = paper_encoder(S, condition.transpose(1, 2).reshape(-1, 1, 1, *condition.shape[3:]))
    v = latents(WIDTHS[kind], z, bars, paper_temporal, S, tracks)
    if kind == "composer":
        return whole(paper_bar(S, "g.", v.reshape(-1, 128), maps, len(tracks)), bars)
    return torch.cat([whole(paper_bar(S, f"g.{r}.", v[r].reshape(-1, 128), maps, 1), bars) for r in tracks], 1)


# The later generation's bad orders.

def bad_generator(W, kind, z, batch):
    S = Style(W, batch, 1e-3)
    x = S.up("g.shared1", z.reshape(-1, 128, 1, 1, 1), 512, (4, 1, 1))
    if kind == "bad-time":
        x = S.up("g.shared2", x, 256, (1, 3, 3))
        x = S.up("g.shared3", x, 128, (1, 4, 3), (1, 4, 2))
        return torch.cat([merged(S, f"g.{r}.", x, (32, 16), 4) for r in ROLES], 1)
    x = S.up("g.shared3", S.up("g.shared2", x, 256, (1, 4, 1)), 128, (1, 4, 1))
    x = S.up("g.shared4", x, 64, (1, 1, 12))
    return torch.cat([merged(S, f"g.{r}.", x, (32, 16), 3, octaves_last=True) for r in ROLES], 1)


# The networks of the binary neurons.

def binary_temporal(S, prefix, z, bars):
    S = Style(S.W, S.batch, S.eps, 0.2)
    k = z.shape[1]
    x = S.dense(prefix + "t0", z, 256, bars - 1).reshape(-1, 256, bars - 1, 1, 1)
    x = S.up(prefix + "t1", x, k, (2, 1, 1), (1, 1, 1))
    return x.reshape(-1, k, bars).transpose(1, 2)


def binary_bar(S, prefix, v, widths, head, out):
    """v [N, bars, 128] -> [N, out, bars, 96, 84]"""
    x = v.transpose(1, 2).reshape(v.shape[0], 128, v.shape[1], 1, 1)
    x = S.up(prefix + "h0", x, widths[0], (1, 4, 1))
    x = S.up(prefix + "h1", x, widths[1], (1, 1, 3))
    x = S.up(prefix + "h2", x, widths[2], (1, 4, 1))
    x = S.up(prefix + "h3", x, widths[3], (1, 1, 3), (1, 1, 2))
    return merged(S, prefix, x, head, 6, out)


def binary_generator(W, kind, z, batch):
    S = Style(W, batch, 1e-5)
    if kind in ("binary", "binary-small"):
        first = 512 if kind == "binary" else 256
        x = S.dense("g.dense", z, first, 3).reshape(-1, first, 3, 1, 1)
        x = S.up("g.up1", x, 256, (2, 1, 1), (1, 1, 1))
        x = S.up("g.up3", S.up("g.up2", x, 128, (1, 4, 1)), 128, (1, 1, 3))
        x = S.up("g.up5", S.up("g.up4", x, 64, (1, 4, 1)), 64, (1, 1, 3), (1, 1, 2))
        return torch.cat([merged(S, f"g.{r}.", x, (64, 32), 6) for r in ROLES], 1)
    v = latents(WIDTHS[kind.split("-")[1]], z, 4, binary_temporal, S, ROLES)
    if kind == "binary-composer":
        return binary_bar(S, "g.", v, (1024, 512, 256, 128), (64, 32), 5)
    return torch.cat([binary_bar(S, f"g.{r}.", v[r], (512, 256, 128, 64), (32, 16), 1) for r in ROLES], 1)


def refiner(W, x, batch):
    """x [N, 5, bars, steps, pitches] in [0, 1] -> the same before its last activation"""
    S = Style(W, batch, 1e-5)

    def around(name, y, out):
        cin = y.shape[1]
        w = W.get(name + ".w", (1, 3, 12, cin, out)).permute(4, 3, 0, 1, 2)
        return F.conv3d(F.pad(y, (5, 6, 1, 1)), w, W.get(name + ".b", (out,)))
    tracks = []
    for i, r in enumerate(ROLES):
        y = x[:, i:i + 1]
        for half in (1, 2):
            p = f"r.{r}.{half}."
            h = around(p + "conv1", F.relu(S.norm(p + "norm1", y)), 64)
            y = y + around(p + "conv2", F.relu(S.norm(p + "norm2", h)), 1)
        tracks.append(y)
    return torch.cat(tracks, 1)


# Critics.

def layers(W, prefix, x, rows, slope=0.2):
    for name, out, k, s in rows:
        x = conv(W, prefix + name, x, out, k, s)
        if name != "score":
            x = F.leaky_relu(x, slope)
    return x


def two_ways(W, prefix, x, widths, taps, out):
    pt = layers(W, prefix, x, (("pt1", widths[0], (1, 1, 12), None), ("pt2", widths[1], (1, taps, 1), None)))
    tp = layers(W, prefix, x, (("tp1", widths[0], (1, taps, 1), None), ("tp2", widths[1], (1, 1, 12), None)))
    return layers(W, prefix, torch.cat([pt, tp], 1), (("merge", out, (1, 1, 1), None),))


def later_critic(W, kind, x):
    """default, no-chroma, no-onset, bare; binary, binary-small"""
    n, tracks, bars, steps, _ = x.shape
    taps, binary = steps // 16, kind.startswith("binary")
    if binary:
        x = (x + 1) / 2
    widths, out = ((32, 64), 64) if kind == "binary" else ((16, 32), 32 if binary else 64)
    private = [two_ways(W, f"d.{r}.", x[:, i:i + 1] if binary else x, widths, taps, out) for i, r in enumerate(ROLES)]
    y = [layers(W, "d.", torch.cat(private, 1), (("shared1", 128, (1, 4, 3), (1, 4, 2)), ("shared2", 256, (1, 4, 3), None)))]
    double = 2 if kind == "binary" else 1
    if kind not in ("no-chroma", "bare"):
        chroma = x.reshape(n, tracks, bars, 4, steps // 4, 7, 12).sum(dim=(4, 5))
        y.append(layers(W, "d.", chroma, (("chroma1", 32 * double, (1, 1, 12), None), ("chroma2", 64 * double, (1, 4, 1), None))))
    if kind not in ("no-onset", "bare"):
        onset = x.clone()
        onset[:, :, :, 1:] = x[:, :, :, 1:] - x[:, :, :, :-1]
        if binary:
            onset = torch.cat([x[:, :1], onset[:, 1:]], 1)
        onset = onset.sum(dim=4, keepdim=True)
        y.append(layers(W, "d.", onset, (("onset1", 16 * double, (1, taps, 1), None), ("onset2", 32 * double, (1, 4, 1), None),
                                         ("onset3", 64 * double, (1, 4, 1), None))))
    y = layers(W, "d.", torch.cat(y, 1), (("merge", 512, (2, 1, 1), (1, 1, 1)),
                                          ("score", 1, (3, 1, 1) if binary else (1, 1, 1), None)))
    return y.flatten(1)


def paper_critic(W, prefix, x):
    """x [N, C, bars, 96, 84] -> [N, 1]: features of bars, then of the phrase"""
    bars = x.shape[2]
    rows = [("h0", 128, (1, 1, 12), None), ("h1", 128, (1, 1, 7), None), ("h2", 128, (1, 2, 1), None),
            ("h3", 128, (1, 2, 1), None), ("h4", 256, (1, 4, 1), (1, 2, 1)), ("h5", 512, (1, 3, 1), (1, 2, 1))]
    if bars == 1:
        rows += [("h6", 1024, (1, 5, 1), None)]
    else:
        rows += [("p0", 512, (2, 5, 1), (1, 5, 1)), ("p1", 128, (bars - 1, 1, 1), None), ("p2", 1024, (1, 1, 1), None)]
    return layers(W, prefix, x, rows + [("score", 1, (1, 1, 1), None)]).flatten(1)


def critic(W, kind, x, role=-1):
    if kind == "phrase":
        return paper_critic(W, "d.", x)
    if kind == "phrase-each":
        heard = [[i] + ([role] if role >= 0 else []) for i in range(5)]
        return torch.cat([paper_critic(W, f"d.{r}.", x[:, heard[i]]) for i, r in enumerate(ROLES) if i != role], 1)
    return later_critic(W, kind, x)


def penalty(W, kind, real, fake, share, role=-1):
    mixed = (share * real + (1 - share) * fake).detach().requires_grad_()
    slope, = torch.autograd.grad(critic(W, kind, mixed, role).sum(), mixed, create_graph=True)
    if kind.startswith("binary"):
        slope = 2 * slope  # by cells in [0, 1]
    square = (slope ** 2).flatten(2).sum(2)
    if kind == "phrase-each":
        square = square[:, [i for i in range(5) if i != role]]
    else:
        square = square.sum(1, keepdim=True)
    return (((1e-8 + square).sqrt() - 1) ** 2).mean()


class Fired(torch.autograd.Function):
    """On where p is above the draw; the gradient passes straight through."""

    @staticmethod
    def forward(ctx, p, draw):
        return (p > draw).to(p.dtype)

    @staticmethod
    def backward(ctx, g):
        return g, None
