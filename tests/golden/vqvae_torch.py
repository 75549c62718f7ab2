"""The VQ-VAE over quarters of piano music in PyTorch, written from its definition. Weights come from the integer hash of
musegan_torch.py under jamroll's names and in its layout. Used by make_vqvae.py (double precision) and by the benchmark
(single)."""
import numpy as np
import torch
import torch.nn.functional as F
import musegan_torch as M

K, D = 16, 128


class Net:
    def __init__(self, dtype):
        self.dtype, self.w = dtype, {}

    def weight(self, name, *shape):
        if name not in self.w:
            u = M.hashed(name, int(np.prod(shape))).reshape(shape)
            u = u * np.sqrt(3.0 * shape[-1] / np.prod(shape)) if name.endswith(".w") else 0.1 * u
            self.w[name] = torch.tensor(u, dtype=self.dtype, requires_grad=True)
        return self.w[name]

    def kernel(self, name, kh, kw, a, b):
        """jamroll's [1, keys, columns, a, b] as PyTorch's [b, a, keys, columns]."""
        return self.weight(name + ".w", 1, kh, kw, a, b)[0].permute(3, 2, 0, 1)

    def conv(self, name, x, out, kh, kw, stride, pad, bias=True):
        b = self.weight(name + ".b", out) if bias else None
        return F.conv2d(x, self.kernel(name, kh, kw, x.shape[1], out), b, stride, pad)

    def conv_t(self, name, x, out, kh, kw, stride, pad):
        return F.conv_transpose2d(x, self.kernel(name, kh, kw, out, x.shape[1]), self.weight(name + ".b", out), stride, pad)

    def residuals(self, part, x):
        for i in (1, 2):
            x = F.relu(x)
            h = F.relu(self.conv(f"vq.{part}.res.{i}.1", x, 32, 3, 3, 1, 1, False))
            x = x + self.conv(f"vq.{part}.res.{i}.2", h, D, 1, 1, 1, 0, False)
        return F.relu(x)

    def encode(self, cells):
        x = F.relu(self.conv("vq.enc.1", cells, 32, 4, 4, 2, 1))
        x = F.relu(self.conv("vq.enc.2", x, 64, 4, 4, 2, 1))
        x = F.relu(self.conv("vq.enc.3", x, 128, 6, 4, 2, 1))
        x = self.residuals("enc", self.conv("vq.enc.4", x, D, 3, 3, 1, 0))
        return x.permute(0, 2, 3, 1).reshape(-1, D) @ self.weight("vq.pre.w", D, D) + self.weight("vq.pre.b", D)

    def decode(self, latent):
        y = self.residuals("dec", latent.view(-1, 8, 2, D).permute(0, 3, 1, 2))
        y = F.relu(self.conv_t("vq.dec.1", y, 128, 3, 3, 1, 0))
        y = F.relu(self.conv_t("vq.dec.2", y, 64, 6, 4, 2, 1))
        y = F.relu(self.conv_t("vq.dec.3", y, 32, 4, 4, 2, 1))
        return self.conv_t("vq.dec.4", y, 1, 4, 4, 2, 1)

    def forward(self, cells, book):
        z = self.encode(cells)
        codes = (book.square().sum(1) - 2 * z.detach() @ book.T).argmin(1)
        q = book[codes]
        logits = self.decode(z + (q - z).detach())
        return z, codes, logits, F.binary_cross_entropy_with_logits(logits, cells), 0.25 * F.mse_loss(z, q)


def moved(count, total, z, codes):
    """Counts and sums of the codebook's members after a batch, by moving averages."""
    one_hot = F.one_hot(codes, len(count)).to(z.dtype)
    count = 0.99 * count + 0.01 * one_hot.sum(0)
    count = (count + 1e-5) / (count.sum() + len(count) * 1e-5) * count.sum()
    return count, 0.99 * total + 0.01 * one_hot.T @ z.detach()
