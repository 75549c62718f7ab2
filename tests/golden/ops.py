#!/usr/bin/env python3
"""Writes ops.txt: inputs, parameters, results and gradients of layers as PyTorch computes them in double
precision, rounded to float32. Read by tests/unit/test_golden.c. Needs PyTorch; run by hand.

Each case is a line "case NAME" and then tensors: a line "NAME SIZES", a line of numbers. `y` is the result,
d_NAME the gradient of sum(y * seed) by NAME. Layouts are ours: channels last, weights [taps, in, out]."""
import math
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(5)
out = []


def leaf(*sizes):
    return torch.randn(*sizes, dtype=torch.float64).float().double().requires_grad_(True)


def write(name, t):
    t = t.detach()
    out.append("%s %s" % (name, " ".join(str(s) for s in t.shape)))
    if t.dtype.is_floating_point:
        out.append(" ".join("%.9g" % v for v in t.flatten().tolist()))
    else:
        out.append(" ".join("%d" % v for v in t.flatten().tolist()))


def case(name, y, **inputs):
    out.append("case " + name)
    seed = torch.randn(tuple(y.shape), dtype=torch.float64).float().double()
    real = {k: v for k, v in inputs.items() if v.dtype.is_floating_point}
    grads = torch.autograd.grad((y * seed).sum(), list(real.values()))
    for k, v in inputs.items():
        write(k, v)
    write("seed", seed)
    write("y", y)
    for k, g in zip(real, grads):
        write("d_" + k, g)


def first(x):  # channels last to channels first, three spatial axes
    return x.permute(0, 4, 1, 2, 3)


def last(y):
    return y.permute(0, 2, 3, 4, 1)


x, w = leaf(2, 3, 5, 6, 2), leaf(2, 3, 3, 2, 4)
case("conv", last(F.conv3d(F.pad(first(x), (1, 0, 1, 1, 0, 1)), w.permute(4, 3, 0, 1, 2), stride=(1, 2, 2))), x=x, w=w)
x, w = leaf(2, 4, 6, 4, 3), leaf(1, 3, 2, 3, 5)
case("conv_equal", last(F.conv3d(first(x), w.permute(4, 3, 0, 1, 2), stride=(1, 3, 2))), x=x, w=w)
x, w = leaf(2, 2, 3, 3, 4), leaf(2, 3, 2, 3, 4)  # transposed: w [taps, out, in]
case("conv_t", last(F.conv_transpose3d(first(x), w.permute(4, 3, 0, 1, 2), stride=(1, 2, 2), padding=(0, 1, 0))), x=x, w=w)
x, w = leaf(2, 4, 1, 3, 6), leaf(1, 4, 3, 5, 6)
case("conv_t_equal", last(F.conv_transpose3d(first(x), w.permute(4, 3, 0, 1, 2), stride=(1, 4, 3))), x=x, w=w)

q, k, v = leaf(2, 7, 8), leaf(2, 7, 8), leaf(2, 7, 8)
length = torch.tensor([7, 4])


def heads(t, n):
    return t.view(2, 7, n, 8 // n).transpose(1, 2)


def attend(causal, limited, n):
    s = heads(q, n) @ heads(k, n).transpose(2, 3) / math.sqrt(8 // n)
    keep = torch.ones(2, 1, 7, 7, dtype=torch.bool)
    if causal:
        keep = keep & torch.ones(7, 7).tril().bool()
    if limited:
        keep = keep & (torch.arange(7)[None, None, None, :] < length[:, None, None, None])
    p = s.masked_fill(~keep, -math.inf).softmax(3)
    return (p @ heads(v, n)).transpose(1, 2).reshape(2, 7, 8)


case("attention", attend(False, False, 2), q=q, k=k, v=v)
case("attention_causal", attend(True, False, 4), q=q, k=k, v=v)
case("attention_length", attend(True, True, 2), q=q, k=k, v=v, length=length)

x = leaf(4, 3, 12)
case("layer_norm", F.layer_norm(x, (12,), eps=1e-5), x=x)
x = leaf(8, 3, 5)
case("batch_norm", F.batch_norm(x.reshape(24, 5), None, None, training=True, eps=1e-3).reshape(8, 3, 5), x=x)
x = leaf(3, 10, 4)
case("instance_norm", F.instance_norm(x.transpose(1, 2), eps=1e-5).transpose(1, 2), x=x)

x, target = leaf(9, 11), torch.tensor([0, 10, -1, 3, 4, -1, 7, 7, 2])
case("xent", F.cross_entropy(x, target, ignore_index=-1), x=x, target=target)
x = (leaf(5, 7).detach() * 3).requires_grad_(True)
case("gelu", 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))), x=x)
case("softmax", torch.softmax(x, 1), x=x)
case("softmax_first", torch.softmax(x, 0), x=x)
case("logsumexp", torch.logsumexp(x, 1, keepdim=True), x=x)
case("sigmoid", torch.sigmoid(x), x=x)
case("tanh", torch.tanh(x), x=x)
case("leaky", F.leaky_relu(x, 0.2), x=x)
x, w, b = leaf(4, 3, 6), leaf(6, 5), leaf(5)
case("linear", x @ w + b, x=x, w=w, b=b)
x, w = leaf(2, 3, 4, 5), leaf(2, 3, 5, 6)
case("matmul", x @ w, x=x, w=w)
x = leaf(2, 7, 3)
case("reflect", F.pad(x.transpose(1, 2), (2, 3), mode="reflect").transpose(1, 2), x=x)
x, idx = leaf(6, 4), torch.tensor([[0, 5, 2], [2, 2, 1]])
case("gather", F.embedding(idx, x), x=x, idx=idx)

torch.manual_seed(6)
h, layer = 5, torch.nn.GRU(7, 5, batch_first=True, bidirectional=True).double()
x = leaf(3, 6, 7)


def ours(name):  # gates r, z, n in rows to our z, r, n in columns, directions first
    both = []
    for end in ("", "_reverse"):
        w = getattr(layer, name + "_l0" + end).detach().float().double()
        r, z, n = w.chunk(3)
        both.append(torch.cat([z, r, n]).T if w.dim() == 2 else torch.cat([z, r, n]))
    return torch.stack(both).contiguous().requires_grad_(True)


def gru(xw, u, c):
    states = []
    for d in range(2):
        state, out = torch.zeros(3, h, dtype=torch.float64), [None] * 6
        for t in reversed(range(6)) if d else range(6):
            a, s = xw[:, t, d], state @ u[d] + c[d]
            z, r = torch.sigmoid(a[:, :h] + s[:, :h]), torch.sigmoid(a[:, h:2 * h] + s[:, h:2 * h])
            state = z * state + (1 - z) * torch.tanh(a[:, 2 * h:] + r * s[:, 2 * h:])
            out[t] = state
        states.append(torch.stack(out, 1))
    return torch.cat(states, 2)


w, b, u, c = ours("weight_ih"), ours("bias_ih"), ours("weight_hh"), ours("bias_hh")
xw = (torch.einsum("ntk,dkg->ntdg", x, w) + b[None, None]).detach()
with torch.no_grad():  # the loop above is PyTorch's own layer
    for k in layer.state_dict():
        layer.state_dict()[k].copy_(layer.state_dict()[k].float().double())
    assert torch.allclose(layer(x)[0], gru(xw, u, c), atol=1e-12)
xw = xw.float().double().requires_grad_(True)
case("gru", gru(xw, u, c), xw=xw, u=u, c=c)

with open(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/ops.txt", "w") as f:
    f.write("\n".join(out) + "\n")
