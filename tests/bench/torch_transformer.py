#!/usr/bin/python3
"""The same work as bench_transformer.c in PyTorch: one JSON line a task with the median and the best of a few repeats."""
import torch
import torch_beside as beside
import torch.nn.functional as F



class Net:
    """A network over steps: summed embeddings, causal blocks, heads of which each refines what the one before drew."""

    def __init__(self, rows_in, rows_out, width, layers, heads, mlp=0, places=0, styles=0):
        self.rows_out, self.width, self.heads, self.params = rows_out, width, heads, []
        self.embed = [self.new(r, width) for r in rows_in]
        self.place = self.new(places, width) if places else None
        self.style = self.new(styles, width) if styles else None
        self.blocks = [[self.norm(), self.linear(width, 3 * width), self.linear(width, width), self.norm(),
                        self.linear(width, 4 * width), self.linear(4 * width, width)] for _ in range(layers)]
        self.last = self.norm()
        self.out = [self.linear(width, r) for r in rows_out]
        self.refine = [[self.new(r, width), self.norm(), self.linear(width, mlp), self.linear(mlp, width)]
                       for r in rows_out[:-1]]

    def new(self, *shape):
        self.params.append((0.02 * torch.randn(*shape)).requires_grad_())
        return self.params[-1]

    def norm(self):
        return self.new(self.width), self.new(self.width)

    def linear(self, a, b):
        return self.new(b, a), self.new(b)

    def normed(self, x, w):
        return F.layer_norm(x, (self.width,), w[0] + 1, w[1], 1e-5)

    def trunk(self, steps, first, cache, dropout=0.0):
        """steps [N,T,inputs]; cache: keys and values so far of every block, or None."""
        n, t, _ = steps.shape
        x = sum(e[steps[:, :, i]] for i, e in enumerate(self.embed))
        if self.place is not None:
            x = x + self.place[first:first + t]
        if self.style is not None:
            x = x + self.style.sum(0)
        x = F.dropout(x, dropout)
        for i, (n1, qkv, proj, n2, up, down) in enumerate(self.blocks):
            q, k, v = (s.view(n, t, self.heads, -1).transpose(1, 2) for s in F.linear(self.normed(x, n1), *qkv).chunk(3, -1))
            if cache is not None:
                if cache[i] is not None:
                    k, v = torch.cat((cache[i][0], k), 2), torch.cat((cache[i][1], v), 2)
                cache[i] = k, v
            a = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=t > 1)
            x = x + F.dropout(F.linear(a.transpose(1, 2).reshape(n, t, -1), *proj), dropout)
            h = F.linear(F.gelu(F.linear(self.normed(x, n2), *up), approximate="tanh"), *down)
            x = x + F.dropout(h, dropout)
        return self.normed(x, self.last)

    def refined(self, x, head, drawn):
        table, norm, up, down = self.refine[head - 1]
        x = x + table[drawn]
        return x + F.linear(F.gelu(F.linear(self.normed(x, norm), *up), approximate="tanh"), *down)


def original():
    return Net([16], [16], 128, 4, 8, places=191)


def pianist():
    return Net([4, 24, 50, 8, 7, 3, 24, 88, 32], [25, 88, 32], 192, 4, 6, mlp=384, styles=30)


def write(net, steps, context, cached):
    """Steps one after the other from nothing: the whole context anew for each, or with the keys and values kept."""
    def work():
        with torch.no_grad():
            row, cache = torch.zeros(1, 1, len(net.embed), dtype=torch.long), [None] * len(net.blocks) if cached else None
            for i in range(steps):
                read = row[:, -1:] if cached else row[:, -context:]
                x = net.trunk(read, i if cached else 0, cache)[:, -1]
                drawn = []
                for h, out in enumerate(net.out):
                    x = net.refined(x, h, drawn[-1]) if h else x
                    drawn.append(torch.multinomial(F.softmax(F.linear(x, *out), -1), 1)[:, 0])
                after = torch.zeros(1, 1, len(net.embed), dtype=torch.long)
                for h, d in enumerate(drawn):  # a head may say more than can be read
                    at = len(net.embed) - len(drawn) + h
                    after[0, 0, at] = d % len(net.embed[at])
                row = torch.cat((row, after), 1)
    return work


def train(net, rows, time_, dropout):
    adam = torch.optim.AdamW(net.params, 1e-3, betas=(0.9, 0.95), weight_decay=0.1, foreach=True, **beside.OPTIMISER)
    steps = torch.stack([torch.randint(len(e), (rows, time_)) for e in net.embed], -1)
    target = [torch.randint(r, (rows * time_,)) for r in net.rows_out]

    def work():
        x = net.trunk(steps, 0, None, dropout).reshape(rows * time_, -1)
        loss = 0
        for h, out in enumerate(net.out):
            x = net.refined(x, h, target[h - 1]) if h else x
            loss = loss + F.cross_entropy(F.linear(x, *out), target[h])
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.params, 1.0)
        adam.step()
    return work


tasks = {
    "original 190": lambda: (5, write(original(), 190, 191, False)),
    "original 190 kv": lambda: (5, write(original(), 190, 191, True)),
    "pianist 256": lambda: (3, write(pianist(), 256, 512, False)),
    "pianist 256 kv": lambda: (3, write(pianist(), 256, 512, True)),
    "step 128": lambda: (3, train(original(), 128, 191, 0.1)),
    "step pianist 8": lambda: (3, train(pianist(), 8, 512, 0.1)),
}
for task, make in tasks.items():
    if beside.wanted(task):
        repeats, work = make()
        beside.report(task, repeats, 1, work)
