"""Speed of cuBLAS on this machine's GPU, in TFLOP/s of float32 products.

    python cublas.py

A large product, and the products of the benchmark's recurrent network: 120 at
once of [220, 220] and [220, 128].
"""

import torch


def speed(left, right, count):
    """TFLOP/s of a batched product, the median of five rounds of `count`."""
    flop = 2 * left.shape[0] * left.shape[1] * left.shape[2] * right.shape[2]
    out = torch.bmm(left, right)
    seconds = []
    for _ in range(6):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(count):
            torch.bmm(left, right, out=out)
        end.record()
        end.synchronize()
        seconds.append(begin.elapsed_time(end) / 1000 / count)
    return flop / sorted(seconds[1:])[2] / 1e12


def main():
    if not torch.cuda.is_available():
        raise SystemExit("there is no GPU that PyTorch knows")
    torch.backends.cuda.matmul.allow_tf32 = False
    one = lambda *shape: torch.randn(*shape, device="cuda")
    print(torch.cuda.get_device_name(), f"PyTorch {torch.__version__}")
    print(f"4096 x 4096 x 4096: {speed(one(1, 4096, 4096), one(1, 4096, 4096), 20):.1f} TFLOP/s")
    print(f"120 of 220 x 220 x 128: {speed(one(120, 220, 220), one(120, 220, 128), 200):.1f} TFLOP/s")


if __name__ == "__main__":
    main()
