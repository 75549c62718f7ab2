#!/usr/bin/python3
"""The same work as bench_musegan.c in PyTorch, tuned as far as the environment lets it be: one JSON line a
task with the median of a few repeats. Started by bench_musegan, which prints both beside each other."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import torch
import torch_beside as beside
import musegan_torch as M
import musegan_house as H

W = M.Weights(torch.float32)


def default(z, batch):
    return M.generator(W, z, batch=batch)


def forward(generator, latents, n):
    z = torch.randn(n, latents)

    def work():
        with torch.no_grad():
            generator(z, False)
    return work


def iteration(generator, latents, critic, penalty, n, critic_steps):
    with torch.no_grad():
        shape = generator(torch.randn(1, latents), False).shape
        critic(torch.zeros(shape))
    d, g = list(W.trained("d.").values()), list(W.trained("g.").values())
    adam_d = torch.optim.Adam(d, 1e-3, (0.5, 0.9), **beside.OPTIMISER)
    adam_g = torch.optim.Adam(g, 1e-3, (0.5, 0.9), **beside.OPTIMISER)
    real = torch.where(torch.rand(n, *shape[1:]) > 0.97, 1.0, -1.0)

    def work():
        for _ in range(critic_steps):
            with torch.no_grad():
                fake = generator(torch.randn(n, latents), True)
            loss = critic(fake).mean() - critic(real).mean()
            loss = loss + 10 * penalty(real, fake, torch.rand(n, 1, 1, 1, 1))
            adam_d.zero_grad()
            loss.backward()
            adam_d.step()
        adam_g.zero_grad()
        (-critic(generator(torch.randn(n, latents), True)).mean()).backward()
        adam_g.step()
    return work


def variant(name, generator, latents, critic):
    """A network of the house: one phrase, and one update each of critic and generator at batch 8."""
    global W
    W = M.Weights(torch.float32)
    beside.report(name + " 1", 15, 3, forward(generator, latents, 1))
    if beside.wanted(name + " step 8"):
        beside.report(name + " step 8", 3, 1, iteration(generator, latents, lambda x: H.critic(W, critic, x),
                                                        lambda *a: H.penalty(W, critic, *a), 8, 1))


beside.report("forward 1", 15, 3, forward(default, 128, 1))
beside.report("forward 64", 3, 1, forward(default, 128, 64))
if beside.wanted("iteration 64"):
    beside.report("iteration 64", 1, 0, iteration(default, 128, lambda x: M.critic(W, x), lambda *a: M.penalty(W, *a), 64, 5))
for kind, latents, critic in (("jamming", 640, "phrase-each"), ("composer", 128, "phrase"), ("hybrid", 384, "phrase")):
    variant(kind, lambda z, batch, kind=kind: torch.tanh(H.paper_generator(W, kind, z, 4, None, -1, batch)), latents, critic)
for kind, latents in (("binary", 128), ("binary-hybrid", 384)):
    variant(kind, lambda z, batch, kind=kind: torch.tanh(H.binary_generator(W, kind, z, batch) / 2), latents, "binary")
