"""What a run will take, told before it begins: file, disk, memory, time, cost."""

from .estimate import Estimate, estimate
from .figures import Figure

__all__ = ["Estimate", "Figure", "estimate"]
