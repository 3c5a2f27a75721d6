"""Long computations give way to what is short, and are told apart from it by nothing else."""

import os
import sys
import threading

import pytest

from portal.core import labour


def test_what_is_worked_out_elsewhere_is_returned_or_raised_here():
    assert labour.done(2, pow, 2, 10, mod=1000) == 24
    with pytest.raises(ZeroDivisionError):
        labour.done(2, divmod, 1, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_it_has_a_lower_priority_than_whoever_asks():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    theirs = labour.done(2, os.getpriority, os.PRIO_PROCESS, 0)
    assert theirs == min(19, before + labour.NICE)  # 19 is the lowest there is
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_no_more_are_at_it_than_there_are_places():
    busy, most, free = [], [], threading.Lock()

    def work():
        with free:
            busy.append(1)
            most.append(len(busy))
        threading.Event().wait(0.02)
        with free:
            busy.pop()

    asking = [threading.Thread(target=labour.done, args=(3, work)) for _each in range(12)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert (len(most), max(most)) == (12, 3)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_a_fork_works_on_its_own():
    labour.done(2, abs, -1)
    child = os.fork()
    if child == 0:
        os._exit(0 if labour.done(2, abs, -7) == 7 else 1)
    assert os.waitpid(child, 0)[1] == 0
