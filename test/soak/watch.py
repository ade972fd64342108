"""Memory and descriptors of a program, sampled when it has nothing to do."""
import os
import time

GROWTH_MAX = 2 << 20  # bytes, from the first third of the samples to the last


def resident(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Watch:
    """The minimum of a third is compared, not single samples: allocators breathe."""

    def __init__(self, name, pid):
        self.name, self.pid = name, pid
        self.memory, self.open = [], []

    def sample(self, seconds=15):
        """Takes a sample once the descriptors are as few as they were, or after so long."""
        deadline = time.monotonic() + seconds
        while self.open and descriptors(self.pid) > min(self.open) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.open.append(descriptors(self.pid))
        self.memory.append(resident(self.pid))

    def growth(self):
        third = max(1, len(self.memory) // 3)
        return min(self.memory[-third:]) - min(self.memory[:third])

    def complaints(self):
        found = []
        if len(self.memory) < 3:
            found.append(f"{self.name} was sampled {len(self.memory)} times only")
        elif self.growth() > GROWTH_MAX:
            found.append(f"{self.name} grew by {self.growth()} bytes: {self.memory}")
        if self.open and self.open[-1] > self.open[0]:
            found.append(f"{self.name} keeps descriptors: {self.open}")
        return found

    def __str__(self):
        if not self.memory:
            return f"{self.name}: never sampled"

        def kib(samples):
            return f"{min(samples) // 1024}-{max(samples) // 1024} KiB"
        third = max(1, len(self.memory) // 3)
        return (f"{self.name}: resident {kib(self.memory[:third])} at first, "
                f"{kib(self.memory[-third:])} at last ({self.growth() // 1024:+} KiB between the "
                f"minima); descriptors {self.open[0]} at first, {self.open[-1]} at last")
