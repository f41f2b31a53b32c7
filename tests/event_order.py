"""The order of time as it should be, written the slow way: with the whole list of time stamps before one's eyes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

JUMP_US, DAY_US, LONGEST_END_US = 100_000, 86_400_000_000, 600_000_000
CONFIRMED, MOST_STALE = 8, 64
HELD = CONFIRMED + MOST_STALE


def order(raw: list[int], wraps: bool = False) -> tuple[list[int], int, Counter[str]]:
    """The times that are given out, how many of the first events are dropped, and what was counted."""

    def step(a: int, b: int) -> int:
        return (a - b + (1 << 31)) % (1 << 32) - (1 << 31) if wraps else a - b

    counts: Counter[str] = Counter()
    if not raw:
        return [], 0, counts
    stale = _stale(raw[:HELD], step)
    counts["stale"] = stale
    time = newest = raw[stale]
    before = raw[stale]
    times = [newest]

    def ahead_of(value: int) -> int:
        return time + step(value, before) - newest

    i, n = stale + 1, len(raw)
    while i < n:
        ahead = ahead_of(raw[i])
        if abs(ahead) <= JUMP_US:
            before, time = raw[i], newest + ahead
            counts["clamped"] += ahead < 0
            newest = max(newest, time)
            times.append(newest)
            i += 1
            continue
        begin = candidate = i
        j = i + 1
        while True:
            if j - candidate >= CONFIRMED:
                verdict = "stays"
                break
            if j - begin == HELD:
                counts["strays"] += candidate - begin
                times += [newest] * (candidate - begin)
                begin = candidate
            if j == n:
                place = ahead_of(raw[candidate])
                stays = JUMP_US < place <= DAY_US and (place <= LONGEST_END_US or n - candidate > 1)
                verdict = "stays" if stays else "returns"
                break
            ahead, place, on = ahead_of(raw[j]), ahead_of(raw[candidate]), step(raw[j], raw[j - 1])
            if abs(ahead) <= JUMP_US or (ahead > 0 and (place < 0 or on < -JUMP_US)):
                verdict = "returns"
                break
            if not -JUMP_US <= on <= DAY_US:
                candidate = j
            j += 1
        if verdict == "returns":
            counts["strays"] += j - begin
            times += [newest] * (j - begin)
            i = j
            continue
        counts["strays"] += candidate - begin
        times += [newest] * (candidate - begin)
        for k in range(candidate, j):
            moved = time + step(raw[k], before)
            if k == candidate and not 0 <= moved - newest <= DAY_US:
                counts["resets"] += 1
                moved = newest
            elif moved < newest:
                counts["clamped"] += 1
            before, time, newest = raw[k], moved, max(moved, newest)
            times.append(newest)
        i = j
    return times, stale, +counts


def _stale(raw: list[int], step: Callable[[int, int], int]) -> int:
    times = [0]
    for a, b in zip(raw[1:], raw, strict=False):
        times.append(times[-1] + step(a, b))
    for i in range(1, min(len(times), MOST_STALE + 1)):
        if not -JUMP_US <= times[i] - times[i - 1] <= DAY_US:
            behind = max(times[i:]) < min(times[:i]) - JUMP_US
            years_ahead = min(times[i:]) > max(times[:i]) + DAY_US
            return i if (behind or years_ahead) and len(times) - i >= CONFIRMED else 0
    return 0
