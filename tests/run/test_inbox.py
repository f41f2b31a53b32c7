import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikebridge.events import EventPacket, empty_events
from spikebridge.run.inbox import Inbox


def packet(sequence, n_events=3):
    return EventPacket(empty_events(n_events), sequence * 10, sequence * 10 + 10, sequence, 0)


def adds_up(inbox):
    c = inbox.counters()
    assert c.packets_in == c.packets_done + c.packets_dropped + c.packets_queued
    assert c.events_in == c.events_done + c.events_dropped + c.events_queued
    return c


@given(st.lists(st.sampled_from(["put", "get", "done", "clear"]), max_size=60))
def test_counters_add_up_after_every_call(actions):
    inbox = Inbox(3, "drop_oldest")
    sequence = 0
    for action in actions:
        if action == "put":
            inbox.put(packet(sequence, n_events=sequence % 4))
            sequence += 1
        elif action == "get":
            inbox.done()
            inbox.get(0)
        elif action == "done":
            inbox.done()
        else:
            inbox.clear()
        adds_up(inbox)


def test_the_oldest_is_dropped_and_the_hole_shows_it():
    inbox = Inbox(2, "drop_oldest")
    for sequence in range(5):
        inbox.put(packet(sequence))
    got = [inbox.get(0).sequence]
    inbox.done()
    got.append(inbox.get(0).sequence)
    assert got == [3, 4]
    assert adds_up(inbox).packets_dropped == got[0]


def test_a_refused_packet_came_and_was_dropped():
    inbox = Inbox(2, "block")
    inbox.refuse(packet(0, 5))
    counters = adds_up(inbox)
    assert (counters.packets_in, counters.packets_dropped, counters.events_in, counters.events_dropped) == (1, 1, 5, 5)


def test_a_packet_that_was_lost_in_work_is_dropped():
    inbox = Inbox(2, "block")
    inbox.put(packet(0, 5))
    inbox.get(0)
    inbox.lose()
    inbox.lose()
    counters = adds_up(inbox)
    assert (counters.packets_dropped, counters.packets_done, counters.events_dropped) == (1, 0, 5)


def test_block_loses_nothing():
    inbox = Inbox(2, "block")
    feeder = threading.Thread(target=lambda: [inbox.put(packet(n)) for n in range(50)] and inbox.close())
    feeder.start()
    seen = []
    while not inbox.exhausted:
        if (item := inbox.get(1)) is not None:
            seen.append(item.sequence)
            inbox.done()
    feeder.join()
    assert seen == list(range(50))
    assert adds_up(inbox).packets_dropped == 0


@pytest.mark.parametrize(("capacity", "half"), [(1, 0), (2, 1), (3, 1), (8, 4)])
def test_a_blocked_producer_goes_on_when_half_is_worked_through(capacity, half):
    inbox = Inbox(capacity, "block")
    for sequence in range(capacity):
        inbox.put(packet(sequence))
    feeder = threading.Thread(target=inbox.put, args=(packet(capacity),), daemon=True)
    feeder.start()
    for left in range(capacity - 1, half - 1, -1):
        # Time for the producer to go on too early, and to be waiting when the consumer wakes it.
        feeder.join(0.02)
        assert inbox.counters().packets_in == capacity
        inbox.get(0)
        inbox.done()
        assert adds_up(inbox).packets_done == capacity - left
    feeder.join(5)
    assert not feeder.is_alive()
    assert adds_up(inbox).packets_in == capacity + 1


def test_close_frees_a_blocked_producer():
    inbox = Inbox(1, "block")
    assert inbox.put(packet(0))
    results = []
    feeder = threading.Thread(target=lambda: results.append(inbox.put(packet(1))))
    feeder.start()
    inbox.close()
    feeder.join(2)
    assert results == [False]
    assert adds_up(inbox).packets_in == 1


def test_get_gives_none_when_nothing_comes():
    inbox = Inbox(1, "block")
    assert inbox.get(0.01) is None
    assert inbox.exhausted is False
    inbox.close()
    assert inbox.exhausted is True


def test_events_of_the_packet_in_work_count_as_queued():
    inbox = Inbox(2, "drop_oldest")
    inbox.put(packet(0, 7))
    inbox.get(0)
    assert inbox.counters().events_queued == 7
    inbox.done()
    assert inbox.counters().events_done == 7
    assert np.int64(inbox.counters().events_queued) == 0
