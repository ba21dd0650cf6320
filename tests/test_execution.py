# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""Results come in order, from wherever the work is done."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial

import pytest

from histories import series, step
from stepmark import execution
from stepmark.config import Rule, Settings
from stepmark.pipeline import Scope, _judge_series

MANY = [series([float(i), 2.0, 3.0], benchmark=f"b{i}") for i in range(7)]


def first(item):
    return item.points[0].value()


def run(**options):
    told = []
    results = list(
        execution.map_series(first, MANY, lambda done, total: told.append((done, total)), **options)
    )
    return results, told


@pytest.fixture(params=["serial", "threads", "executor"])
def options(request, monkeypatch):
    if request.param == "threads":
        monkeypatch.setattr(execution, "_WORTH_THREADS", 0)
    if request.param != "executor":
        yield {}
        return
    with ThreadPoolExecutor(2) as pool:
        yield {"executor": pool}


def test_results_and_progress_come_in_order(options):
    results, told = run(**options)
    assert results == [0, 1, 2, 3, 4, 5, 6]
    assert told == [(i, 7) for i in range(1, 8)]


def test_nothing_to_do(options):
    assert list(execution.map_series(first, [], **options)) == []


def test_an_error_is_passed_on(options):
    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(execution.map_series(broken, MANY, **options))


def test_small_work_stays_in_its_thread_and_large_work_does_not(monkeypatch):
    def thread(_):
        return threading.get_ident()

    assert set(execution.map_series(thread, MANY)) == {threading.get_ident()}
    monkeypatch.setattr(execution, "_WORTH_THREADS", sum(map(len, MANY)))
    assert threading.get_ident() not in set(execution.map_series(thread, MANY))


def test_a_given_executor_is_used_and_stays_open():
    class Counting(Executor):
        submitted = 0

        def submit(self, function, /, *arguments):
            self.submitted += 1
            future = Future()
            future.set_result(function(*arguments))
            return future

        def shutdown(self, *_, **__):
            raise AssertionError("closed by one who did not open it")

    executor = Counting()
    assert run(executor=executor)[0] == [0, 1, 2, 3, 4, 5, 6]
    assert executor.submitted == 7


def test_the_work_can_go_to_another_process():
    settings = Settings(rules=(Rule("*", min_relative=0.01),))
    made = series(step(30, 15, 9.0))
    work = partial(_judge_series, settings=settings, scope=Scope(last=3))
    assert pickle.loads(pickle.dumps(work))(pickle.loads(pickle.dumps(made))) == work(made)
    assert pickle.loads(pickle.dumps(work(made))) == work(made)
