"""The networks of genre transfer in PyTorch, written from their definition with TensorFlow's SAME padding made by hand.
Weights come from the integer hash of musegan_torch.py under jamroll's names and in its layout. Used by make_cyclegan.py
(double precision) and by the benchmark (single)."""
import numpy as np
import torch
import torch.nn.functional as F
import musegan_torch as M


class Net:
    def __init__(self, dtype):
        self.dtype, self.w = dtype, {}

    def weight(self, name, *shape):
        if name not in self.w:
            u = M.hashed(name, int(np.prod(shape))).reshape(shape)
            if name.endswith(".w"):
                u = u * np.sqrt(3.0 * shape[-1] / np.prod(shape))
            elif name.endswith(".gamma"):
                u = 1 + 0.1 * u
            else:  # far from where rectifiers bend: a gradient there would hang on the last digit
                u = 0.1 * u + 4 * (1 - 2 * (np.arange(len(u)) % 2))
            self.w[name] = torch.tensor(u, dtype=self.dtype, requires_grad=True)
        return self.w[name]

    def norm(self, name, x):
        c = x.shape[1]
        return F.instance_norm(x, weight=self.weight(name + ".gamma", c), bias=self.weight(name + ".beta", c), eps=1e-5)

    def conv(self, name, x, out, kernel, stride):
        """No padding. jamroll's [1, steps, pitches, in, out] is PyTorch's [out, in, steps, pitches]."""
        w = self.weight(name + ".w", 1, *kernel, x.shape[1], out)[0].permute(3, 2, 0, 1)
        return F.conv2d(x, w, None, stride)

    def same(self, name, x, out, k, stride):
        lo, hi = (k - stride) // 2, k - stride - (k - stride) // 2
        return self.conv(name, F.pad(x, (lo, hi, lo, hi)), out, (k, k), stride)

    def reflected(self, name, x, out, k):
        return self.conv(name, F.pad(x, (k // 2,) * 4, mode="reflect"), out, (k, k), 1)

    def up(self, name, x, out):
        """Transposed 3 x 3 of stride 2, cut to twice the size at the end."""
        w = self.weight(name + ".w", 1, 3, 3, out, x.shape[1])[0].permute(3, 2, 0, 1)
        return F.conv_transpose2d(x, w, None, 2)[:, :, :-1, :-1]

    def generator(self, g, x, width=64, blocks=10):
        x = F.relu(self.norm(g + ".in0", self.reflected(g + ".in0", x, width, 7)))
        for i in (0, 1):
            x = F.relu(self.norm(f"{g}.down{i}", self.same(f"{g}.down{i}", x, width * (2 << i), 3, 2)))
        for i in range(blocks):
            a, b = f"{g}.res{2 * i}", f"{g}.res{2 * i + 1}"
            y = F.relu(self.norm(a, self.reflected(a, x, 4 * width, 3)))
            x = F.relu(x + self.norm(b, self.reflected(b, y, 4 * width, 3)))
        for i in (0, 1):
            x = F.relu(self.norm(f"{g}.up{i}", self.up(f"{g}.up{i}", x, width * (2 >> i))))
        return torch.sigmoid(self.reflected(g + ".out0", x, 1, 7))

    def critic(self, d, x, kernels=(7, 7, 7), width=64):
        x = F.leaky_relu(self.same(d + ".conv0", x, width, kernels[0], 2), 0.2)
        x = F.leaky_relu(self.norm(d + ".conv1", self.same(d + ".conv1", x, 4 * width, kernels[1], 2)), 0.2)
        return self.same(d + ".conv2", x, 1, kernels[2], 1)

    def judge(self, x, genres=2, width=64):
        for i, (k, wide) in enumerate((((1, 12), 1), ((4, 1), 2), ((2, 1), 4), ((8, 1), 8))):
            x = self.conv(f"judge.conv{i}", x, wide * width, k, k)
            x = F.leaky_relu(self.norm(f"judge.conv{i}", x) if i else x, 0.2)
        return self.conv("judge.out", x, genres, (1, 7), 1)[:, :, 0, 0]

    def g_loss(self, a, b, critics=(7, 7, 7), extra=False, noise=0, **size):
        """What the generators get: fooling every critic, and coming back."""
        fake_b, fake_a = self.generator("g.ab", a, **size), self.generator("g.ba", b, **size)
        back_a, back_b = self.generator("g.ba", fake_b, **size), self.generator("g.ab", fake_a, **size)
        cycle = 10 * ((a - back_a).abs().mean() + (b - back_b).abs().mean())
        width = size.get("width", 64)
        fool = sum((self.critic(d, x + noise, critics, width) - 1).square().mean()
                   for d, x in [("d.b", fake_b), ("d.a", fake_a)] + [("d.am", fake_a), ("d.bm", fake_b)] * extra)
        return cycle, fool, fake_a, fake_b

    def d_loss(self, real, fake, d, critics=(7, 7, 7), noise=0, **size):
        width = size.get("width", 64)
        return 0.5 * ((self.critic(d, real + noise, critics, width) - 1).square().mean()
                      + self.critic(d, fake + noise, critics, width).square().mean())
