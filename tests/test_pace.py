from __future__ import annotations

import time

import pytest

from spikebridge.pace import AWAKE_NS, LATE_NS, Pace, wait_until


def test_the_first_step_begins_when_it_is_asked_for():
    pace = Pace()
    assert pace.due_ns(70_000, 80_000, now_ns=5_000_000_000) == 5_010_000_000
    assert pace.due_ns(80_000, 90_000, now_ns=5_010_000_100) == 5_020_000_000
    # Asked for again, it is due when it was.
    assert pace.due_ns(80_000, 90_000, now_ns=5_015_000_000) == 5_020_000_000


@pytest.mark.parametrize(("speed", "due_ns"), [(0.5, 20_000_000), (4.0, 2_500_000)])
def test_speed_shortens_the_way_to_the_next_step(speed, due_ns):
    assert Pace(speed).due_ns(0, 10_000, now_ns=0) == due_ns


def test_a_late_step_keeps_its_moment_up_to_a_quarter_of_a_second():
    pace = Pace()
    pace.due_ns(0, 10_000, now_ns=0)
    assert pace.due_ns(10_000, 20_000, now_ns=20_000_000 + LATE_NS) == 20_000_000
    assert pace.late == 0
    assert pace.notes("The stream") == ()


def test_later_than_that_it_starts_anew_from_the_present():
    pace = Pace()
    pace.due_ns(0, 10_000, now_ns=0)
    now_ns = 20_000_000 + LATE_NS + 1
    assert pace.due_ns(10_000, 20_000, now_ns) == now_ns
    assert pace.due_ns(20_000, 30_000, now_ns + 3) == now_ns + 10_000_000
    assert pace.late == 1
    assert pace.notes("The stream") == ("The stream fell behind its pace once and went on later.",)
    pace.due_ns(30_000, 40_000, now_ns + 10 * LATE_NS)
    assert pace.notes("The stream") == ("The stream fell behind its pace 2 times and went on later.",)


def test_a_restart_is_not_lateness():
    pace = Pace()
    pace.due_ns(0, 10_000, now_ns=0)
    pace.restart()
    assert pace.due_ns(10_000, 20_000, now_ns=900_000_000) == 910_000_000
    assert pace.late == 0


@pytest.mark.parametrize(("speed", "begin_ns"), [(1.0, 15_000_000), (4.0, 3_750_000)])
def test_work_on_a_step_begins_in_the_second_half_of_its_time(speed, begin_ns):
    pace = Pace(speed)
    pace.due_ns(0, 10_000, now_ns=0)
    assert pace.begin_ns(10_000, 20_000, now_ns=10_000_000 / speed) == begin_ns


class Host:
    """A clock that sleeping moves on, and looking at it."""

    def __init__(self, monkeypatch):
        self.now_ns = 1_000_000_000
        self.slept_s = []
        self.woken = False
        self.looks = 0
        monkeypatch.setattr(time, "monotonic_ns", self._look)

    def wait(self, seconds):
        self.slept_s.append(seconds)
        self.now_ns += round(seconds * 1e9) + 90_000  # as late as a system's timers are
        return self.woken

    def _look(self):
        self.looks += 1
        self.now_ns += 1000
        return self.now_ns


def test_a_moment_is_met_though_timers_are_late(monkeypatch):
    """Slept to 0.2 ms before it, counted from the first look at 1.000001 s; then looked every µs."""
    host = Host(monkeypatch)
    assert not wait_until(1_005_000_000, host.wait)
    assert host.slept_s == [pytest.approx(0.004799)]
    assert AWAKE_NS == 200_000
    assert host.now_ns == 1_005_000_000
    assert host.looks == 1 + 110


@pytest.mark.parametrize("ahead_ns", [-5, 0, 5000, 201_000])
def test_who_is_close_to_the_moment_does_not_sleep(monkeypatch, ahead_ns):
    host = Host(monkeypatch)
    assert not wait_until(1_000_000_000 + ahead_ns, host.wait)
    assert host.slept_s == []
    assert host.now_ns == 1_000_000_000 + max(2000, ahead_ns)


def test_who_is_woken_early_says_so_at_once(monkeypatch):
    host = Host(monkeypatch)
    host.woken = True
    assert wait_until(1_005_000_000, host.wait)
    assert host.looks == 1
