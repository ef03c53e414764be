"""`Refreshing`: one fetch a TTL, renewal in the background, the last good value on failure."""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.waiting import wait_until

from keyfront.errors import KeyLoadError, ServiceError
from keyfront.keystore import Refreshing

if TYPE_CHECKING:
    from tests.keystore.conftest import Clock, Fetch

TTL = 60.0


@pytest.fixture
def value(fetch: "Fetch", clock: "Clock") -> Refreshing[str]:
    return Refreshing(fetch, name="the value", ttl=TTL, clock=clock)


def test_a_hundred_threads_that_find_nothing_share_one_fetch(value: Refreshing[str], fetch: "Fetch") -> None:
    fetch.hold()
    together = threading.Barrier(101)

    def ask() -> str:
        together.wait(30)
        return value.get()

    with ThreadPoolExecutor(100) as pool:
        answers = [pool.submit(ask) for _ in range(100)]
        together.wait(30)
        fetch.wait_until_entered()
        fetch.release()
        assert {answer.result(30) for answer in answers} == {"value 1"}
    assert fetch.calls == 1


def test_a_hundred_tasks_share_one_fetch_and_the_loop_goes_on_meanwhile(value: Refreshing[str], fetch: "Fetch") -> None:
    async def scenario() -> set[str]:
        fetch.hold()
        tasks = [asyncio.create_task(value.get_async()) for _ in range(100)]
        for _ in range(10):
            # Would hang here if a task blocked the loop: nobody else lets the fetch go on.
            await asyncio.sleep(0)
        fetch.release()
        return set(await asyncio.gather(*tasks))

    assert asyncio.run(scenario()) == {"value 1"}
    assert fetch.calls == 1


def test_threads_and_tasks_share_one_fetch(value: Refreshing[str], fetch: "Fetch") -> None:
    fetch.hold()
    with ThreadPoolExecutor(20) as pool:
        threads = [pool.submit(value.get) for _ in range(20)]

        async def scenario() -> list[str]:
            tasks = [asyncio.create_task(value.get_async()) for _ in range(20)]
            await asyncio.sleep(0)
            fetch.release()
            return list(await asyncio.gather(*tasks))

        answers = asyncio.run(scenario()) + [thread.result(30) for thread in threads]
    assert answers == ["value 1"] * 40
    assert fetch.calls == 1


def test_a_task_that_is_cancelled_leaves_the_fetch_to_the_others(value: Refreshing[str], fetch: "Fetch") -> None:
    async def scenario() -> str:
        fetch.hold()
        impatient = asyncio.create_task(value.get_async())
        patient = asyncio.create_task(value.get_async())
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        fetch.release()
        return await patient

    assert asyncio.run(scenario()) == "value 1"
    assert fetch.calls == 1


def test_a_young_value_is_served_without_a_fetch(value: Refreshing[str], fetch: "Fetch", clock: "Clock") -> None:
    value.get()
    clock.pass_by(TTL - 1)
    assert [value.get() for _ in range(50)] == ["value 1"] * 50
    assert fetch.calls == 1


def test_an_aged_value_is_served_while_one_background_fetch_renews_it(
    value: Refreshing[str], fetch: "Fetch", clock: "Clock"
) -> None:
    value.get()
    fetch.wait_until_entered()
    clock.pass_by(TTL + 1)
    fetch.hold()
    assert [value.get() for _ in range(50)] == ["value 1"] * 50
    fetch.wait_until_entered()
    assert fetch.calls == 2
    fetch.release()
    wait_until(lambda: value.get() == "value 2")
    assert fetch.calls == 2


def test_after_a_long_pause_callers_wait_for_the_new_value(
    value: Refreshing[str], fetch: "Fetch", clock: "Clock"
) -> None:
    value.get()
    clock.pass_by(10 * TTL)
    assert value.get() == "value 2"


def test_after_a_long_pause_and_a_failing_fetch_the_last_good_value_is_served(
    value: Refreshing[str], fetch: "Fetch", clock: "Clock"
) -> None:
    value.get()
    fetch.fail()
    clock.pass_by(10 * TTL)
    assert value.get() == "value 1"
    assert fetch.calls == 2


def test_the_last_good_value_is_served_while_the_fetch_fails_and_a_warning_says_so(
    value: Refreshing[str], fetch: "Fetch", clock: "Clock", caplog: pytest.LogCaptureFixture
) -> None:
    value.get()
    fetch.fail(ServiceError("AccessDeniedException: the IAM action ssm:GetParameter is missing"))
    clock.pass_by(TTL + 1)
    with caplog.at_level(logging.WARNING):
        assert value.get() == "value 1"
        wait_until(lambda: bool(caplog.records))
    warning = caplog.records[0]
    assert warning.levelno == logging.WARNING
    assert "the value was not renewed; serving the last good value, 61 s old" in warning.getMessage()
    assert "ssm:GetParameter is missing" in warning.getMessage()


def test_a_failing_fetch_is_tried_again_only_after_a_rest(
    value: Refreshing[str], fetch: "Fetch", clock: "Clock", caplog: pytest.LogCaptureFixture
) -> None:
    value.get()
    fetch.fail()
    clock.pass_by(TTL + 1)
    value.get()
    wait_until(lambda: len(caplog.records) == 1)
    clock.pass_by(0.9)
    assert [value.get() for _ in range(50)] == ["value 1"] * 50
    assert fetch.calls == 2
    clock.pass_by(0.2)
    fetch.failure = None
    value.get()
    wait_until(lambda: value.get() == "value 3")
    assert fetch.calls == 3


def test_callers_do_not_wait_for_a_hanging_fetch_when_the_one_before_failed_just_now(
    value: Refreshing[str], fetch: "Fetch", clock: "Clock"
) -> None:
    value.get()
    fetch.wait_until_entered()
    fetch.fail()
    clock.pass_by(10 * TTL)
    value.get()
    fetch.wait_until_entered()
    clock.pass_by(6)
    fetch.hold()
    assert value.get() == "value 1"
    fetch.wait_until_entered()


def test_a_first_fetch_that_fails_raises_for_everybody_and_rests(
    value: Refreshing[str], fetch: "Fetch", clock: "Clock"
) -> None:
    failure = fetch.fail(KeyLoadError("the parameter holds no key"))
    raised = []
    for _ in range(20):
        with pytest.raises(KeyLoadError, match="the parameter holds no key") as caught:
            value.get()
        raised.append(caught.value)
    assert fetch.calls == 1
    assert failure not in raised
    assert len({id(error) for error in raised}) == 20
    clock.pass_by(5)
    fetch.failure = None
    assert value.get() == "value 2"


def test_an_unexpected_exception_lands_as_a_service_error_without_its_text(
    value: Refreshing[str], fetch: "Fetch", caplog: pytest.LogCaptureFixture
) -> None:
    fetch.fail(RuntimeError("MARKER-secret"))
    with pytest.raises(ServiceError, match="unexpected RuntimeError") as caught:
        value.get()
    assert "MARKER" not in str(caught.value)
    assert "in __call__" in caplog.text
    assert "MARKER" not in caplog.text


def test_a_value_past_its_usable_age_is_no_longer_served(fetch: "Fetch", clock: "Clock") -> None:
    value = Refreshing(fetch, name="the value", ttl=TTL, usable=3 * TTL, clock=clock)
    value.get()
    fetch.fail()
    clock.pass_by(2.5 * TTL)
    assert value.get() == "value 1"
    clock.pass_by(TTL)
    with pytest.raises(ServiceError, match="the service is down"):
        value.get()


def test_a_value_that_did_not_help_is_fetched_again_once_in_a_while(
    value: Refreshing[str], fetch: "Fetch", clock: "Clock"
) -> None:
    async def scenario() -> None:
        first = await value.get_async()
        assert await value.newer_async(first, every=30) is first
        clock.pass_by(30)
        answers = await asyncio.gather(*(value.newer_async(first, every=30) for _ in range(50)))
        assert set(answers) == {"value 2"}
        assert await value.newer_async(answers[0], every=30) == "value 2"
        assert await value.newer_async(first, every=30) == "value 2"

    asyncio.run(scenario())
    assert fetch.calls == 2


def test_a_value_that_did_not_help_is_kept_when_a_newer_one_cannot_be_had(
    value: Refreshing[str], fetch: "Fetch", clock: "Clock"
) -> None:
    async def scenario() -> None:
        first = await value.get_async()
        clock.pass_by(30)
        fetch.fail()
        assert await value.newer_async(first, every=30) is first
        assert await value.newer_async(first, every=30) is first

    asyncio.run(scenario())
    assert fetch.calls == 2


def test_no_thread_to_be_had_is_a_failure_like_any_other(
    value: Refreshing[str], clock: "Clock", monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", cannot_start)
        with pytest.raises(ServiceError, match="no thread can be started"):
            value.get()
    clock.pass_by(5)
    assert value.get() == "value 1"
