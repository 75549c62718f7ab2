"""What the PyTorch sides of the benchmarks share: threads and tasks from the command line, the device and the way it
runs from the environment, one JSON line a task.

    JAMROLL_BENCH_DEVICE     cpu (default) or cuda
    JAMROLL_BENCH_PRECISION  fp32 (default), tf32 or bf16, of products on a GPU
    JAMROLL_BENCH_TORCH      eager (default); compile: torch.compile with CUDA graphs, which cannot differentiate
                             twice; graph: the whole task captured once as a CUDA graph and replayed

A task that cannot run in a way prints no line, and why on standard error."""
import contextlib
import json
import os
import sys
import time

import torch

DEVICE = os.environ.get("JAMROLL_BENCH_DEVICE", "cpu")
PRECISION = os.environ.get("JAMROLL_BENCH_PRECISION", "fp32")
WAY = os.environ.get("JAMROLL_BENCH_TORCH", "eager")
OPTIMISER = {"capturable": True} if WAY == "graph" else {}  # its step counter lies on the device

torch.set_num_threads(int(sys.argv[1]))
torch.set_default_device(DEVICE)
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = PRECISION != "fp32"
torch.backends.cudnn.benchmark = True


def wanted(task):
    return len(sys.argv) < 3 or task in sys.argv[2:]


def wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def captured(work):
    """work, recorded after it ran a few times beside the default stream."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def made(work):
    if WAY == "compile":
        return torch.compile(work, mode="reduce-overhead")
    return captured(work) if WAY == "graph" else work


def timed(repeats, warm, work):
    with torch.autocast(DEVICE, torch.bfloat16) if PRECISION == "bf16" else contextlib.nullcontext():
        work = made(work)
        for _ in range(warm if WAY == "eager" else warm + 3):
            work()
        times = []
        for _ in range(repeats):
            wait()
            start = time.perf_counter()
            work()
            wait()
            times.append(time.perf_counter() - start)
    times.sort()
    return {"ms": 1e3 * times[len(times) // 2], "best": 1e3 * times[0]}


def report(task, repeats, warm, work):
    if not wanted(task):
        return
    try:
        print(json.dumps({"task": task, **timed(repeats, warm, work)}), flush=True)
    except Exception as failure:  # another way may do
        if WAY == "eager":
            raise
        print(f"{task}: no {WAY}: {failure}", file=sys.stderr)
