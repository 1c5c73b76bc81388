"""How fast GPUs compute: 16-bit matrix arithmetic without sparsity, summed in fp32, as their makers
state it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..hardware import Gpu

TERAFLOPS: Mapping[str, float] = {
    "T4": 65,
    "P100": 19,
    "V100": 112,
    "A2": 18,
    "A10G": 70,
    "A10": 125,
    "A16": 18,
    "A30": 165,
    "A40": 150,
    "A100": 312,
    "L4": 121,
    "L40S": 362,
    "L40": 181,
    "H100 PCIe": 756,
    "H100": 989,
    "H200": 989,
    "GH200": 989,
    "B200": 2250,
    "GTX 1080 Ti": 11,
    "GTX 1080": 9,
    "GTX 1660": 10,
    "RTX 2060": 26,
    "RTX 2070": 30,
    "RTX 2080": 40,
    "RTX 2080 Ti": 54,
    "RTX 3050": 18,
    "RTX 3060": 25,
    "RTX 3060 Ti": 32,
    "RTX 3070": 41,
    "RTX 3070 Ti": 43,
    "RTX 3080": 60,
    "RTX 3080 Ti": 68,
    "RTX 3090": 71,
    "RTX 3090 Ti": 80,
    "RTX 4060": 30,
    "RTX 4060 Ti": 44,
    "RTX 4070": 58,
    "RTX 4070 Ti": 80,
    "RTX 4080": 97,
    "RTX 4090": 165,
    "RTX 5060 Ti": 48,
    "RTX 5070": 62,
    "RTX 5070 Ti": 88,
    "RTX 5080": 113,
    "RTX 5090": 210,
    "RTX A2000": 32,
    "RTX A4000": 77,
    "RTX A4500": 95,
    "RTX A5000": 111,
    "RTX A6000": 155,
    "RTX 4000 Ada": 107,
    "RTX 5000 Ada": 130,
    "RTX 6000 Ada": 182,
    "Quadro RTX 5000": 45,
    "Quadro RTX 6000": 65,
    "Quadro RTX 8000": 65,
}
_WORD = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])"


def teraflops(gpu: Gpu) -> float | None:
    """Of ``gpu`` by its name; None for one that is not known. A slice has its part."""
    name = gpu.name.replace("-", " ")
    known = [model for model in TERAFLOPS if re.search(_WORD.format(model), name)]
    if not known:
        return None
    whole = TERAFLOPS[max(known, key=len)]
    return whole * gpu.share
