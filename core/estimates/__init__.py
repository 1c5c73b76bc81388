"""What a run will take, told before it begins: file, disk, memory, time, cost."""

from .estimate import Estimate, estimate
from .figures import Figure
from .here import estimate_here

__all__ = ["Estimate", "Figure", "estimate", "estimate_here"]
