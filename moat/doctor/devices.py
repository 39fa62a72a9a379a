"""The processors available to torch."""

import os
import shutil
import warnings
from collections.abc import Iterator
from typing import Any

from moat.doctor.finding import Finding, Health, told

_AREA = "devices"
_GIB = 1 << 30


def devices() -> Iterator[Finding]:
    """Yield the CPU's threads, and each GPU with what it can do."""
    import torch

    limit = os.environ.get("OMP_NUM_THREADS")
    text = f"{torch.get_num_threads()} thread(s) of {_cores()} core(s)"
    text += f", OMP_NUM_THREADS={limit}" if limit else ""
    yield Finding(_AREA, "cpu", Health.ok, text)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        yield _no_gpu(torch, "; ".join(str(one.message).partition("\n")[0] for one in caught))
        return
    for index in range(torch.cuda.device_count()):
        yield _gpu(torch, index)


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not on Linux
        return os.cpu_count() or 1


def _no_gpu(torch: Any, why: str) -> Finding:
    """Return why no GPU can be used, where a driver says that there is one."""
    built = torch.version.cuda
    driver = shutil.which("nvidia-smi") or os.path.exists("/proc/driver/nvidia/version")
    if not driver:
        text = f"none; torch {torch.__version__} is built for CUDA {built or '(none)'}"
        return Finding(_AREA, "cuda", Health.ok, text)
    if built is None:
        text = f"an NVIDIA driver is there, but torch {torch.__version__} is built without CUDA"
        mend = "install a torch with CUDA and its torchvision: https://pytorch.org/get-started"
    else:
        text = f"torch {torch.__version__} for CUDA {built} finds no GPU" + (f": {why}" * bool(why))
        mend = "check nvidia-smi and CUDA_VISIBLE_DEVICES; update the driver, or install a torch "
        mend += "for an older CUDA; --device cpu works"
    return Finding(_AREA, "cuda", Health.warning, text, mend)


def _gpu(torch: Any, index: int) -> Finding:
    """Return what a GPU is, and whether it computes."""
    subject = f"cuda:{index}"
    try:
        about = torch.cuda.get_device_properties(index)
        free, total = torch.cuda.mem_get_info(index)
        bf16 = "bf16" if about.major >= 8 else "no bf16"  # emulated below capability 8.0
        text = (
            f"{about.name}, capability {about.major}.{about.minor}, {bf16}, "
            f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
        )
        (torch.ones(2, device=subject) + 1).cpu()
    except Exception as error:  # a kernel that is not built for this GPU, a device that is held
        mend = "install a torch built for this GPU, or --device cpu"
        return Finding(_AREA, subject, Health.fault, f"it does not compute: {told(error)}", mend)
    if free < _GIB:
        mend = "nvidia-smi says which process holds the rest"
        return Finding(_AREA, subject, Health.warning, text, mend)
    return Finding(_AREA, subject, Health.ok, text)
