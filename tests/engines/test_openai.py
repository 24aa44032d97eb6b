"""The OpenAI engine against a real server on this machine: what it sends, what it makes of every kind of trouble."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from systems.base import Completion, Failure, Message, Request, Sampling, UserError, unreached
from systems.engines import event_stream
from systems.engines.openai import OpenAIEngine
from systems.model import Model
from tests.engines import server as play
from tests.engines.server import Server, serving
from tests.tiny import write_adapter, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-1234")


def engine(model: Model, server: Server, **settings: Any) -> OpenAIEngine:
    known = {"retries": 2, "backoff_seconds": 0.02, "timeout_seconds": 10.0}
    return OpenAIEngine(model=model, base_url=server.url, **{**known, **settings})


def request(text: str = "hello there", **settings: Any) -> Request:
    return Request(messages=(Message(role="user", content=text),), sampling=Sampling(max_tokens=9, seed=4), **settings)


def one(model: Model, server: Server, asked: Request | None = None, **settings: Any) -> Completion:
    made = engine(model, server, **settings)
    try:
        [(index, completion)] = made.generate([asked or request()])
    finally:
        made.close()
    assert index == 0
    return completion


def test_an_answer_is_streamed_with_usage_and_the_time_of_its_first_token(model: Model) -> None:
    with serving(play.answer("it is 12 euros", before=0.05, between=0.03)) as server:
        completion = one(model, server)
    assert (completion.text, completion.finish_reason, completion.error) == ("it is 12 euros", "stop", None)
    assert (completion.tokens_in, completion.tokens_out) == (11, 7)
    # The server waits 0.05 s before the first of four words and 0.03 s after each.
    assert completion.timings["ttft"] >= 0.05
    assert completion.timings["decode"] >= 0.11
    assert server.bodies == [
        {
            "model": "tiny",
            "messages": [{"role": "user", "content": "hello there"}],
            "temperature": 0.0,
            "top_p": 1.0,
            "max_tokens": 9,
            "seed": 4,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


def test_a_raw_prompt_goes_to_completions_and_ends_at_its_stop_texts(model: Model) -> None:
    asked = Request(
        messages=(), text="Question: one?\nAnswer:", stop=("\n", "a", "b", "c", "blue"), sampling=Sampling()
    )
    with serving(play.completion("red or blue or green")) as server:
        found = one(model, server, asked)
        assert server.paths == ["/v1/completions"]
    assert (found.text, found.error) == ("red or ", None)
    assert server.bodies[0]["prompt"] == "Question: one?\nAnswer:"
    assert "messages" not in server.bodies[0]
    assert server.bodies[0]["stop"] == ["\n", "a", "b", "c"]  # the protocol takes four


def test_without_reported_usage_the_tokenizer_counts(model: Model) -> None:
    with serving(play.answer("it is 12 euros", usage=False)) as server:
        completion = one(model, server)
    assert completion.tokens_in == len(model.encode(request().messages)) > 0
    assert completion.tokens_out == model.count("it is 12 euros") > 0


@pytest.mark.parametrize(("concurrency", "in_flight", "most"), [(3, None, 3), (8, 2, 2), (2, 8, 2)])
def test_calls_run_side_by_side_up_to_the_bound(
    model: Model, concurrency: int, in_flight: int | None, most: int
) -> None:
    pulled = 0

    def requests() -> Iterator[Request]:
        nonlocal pulled
        for number in range(9):
            pulled += 1
            yield request(f"number {number}")

    with serving(play.echo) as server:
        made = engine(model, server, concurrency=concurrency)
        source = made.generate(requests(), in_flight)
        first = next(source)
        assert pulled == most, "requests are pulled only when there is room"
        found = dict([first, *source])
        made.close()
    assert {index: completion.text for index, completion in found.items()} == {n: f"number {n}" for n in range(9)}
    assert server.most == most


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_refusal_that_passes_is_tried_again(model: Model, code: int) -> None:
    with serving(play.status(code), play.status(code), play.answer("done")) as server:
        completion = one(model, server, backoff_seconds=0.1)
    assert (completion.text, completion.error) == ("done", None)
    gaps = [later - earlier for earlier, later in zip(server.times, server.times[1:], strict=False)]
    # 0.1 s, then 0.2 s, each less up to half of it.
    assert gaps[0] >= 0.05
    assert gaps[1] >= 0.1
    assert completion.timings["ttft"] >= 0.15, "the user waited for the refused tries too"


def test_the_wait_that_a_server_asks_for_is_kept(model: Model) -> None:
    with serving(play.status(429, Retry_After="0.3"), play.answer("done")) as server:
        assert one(model, server, backoff_seconds=0.0).text == "done"
    assert server.times[1] - server.times[0] >= 0.3


@pytest.mark.parametrize(("code", "calls"), [(500, 3), (429, 3), (400, 1), (401, 1), (404, 1)])
def test_a_refusal_that_stays_is_the_samples_outcome(model: Model, code: int, calls: int) -> None:
    with serving(play.status(code, '{"error": {"message": "your key secret-1234 is no good"}}')) as server:
        completion = one(model, server)
    assert len(server.bodies) == calls
    assert completion.error is not None
    assert str(code) in completion.error
    assert "secret-1234" not in completion.error
    assert (completion.text, completion.tokens_out, completion.finish_reason) == ("", 0, "error")


def test_a_failed_call_does_not_touch_its_neighbours(model: Model) -> None:
    with serving(play.status(400), play.echo) as server:
        made = engine(model, server, concurrency=1)
        found = dict(made.generate([request("first"), request("second")]))
        made.close()
    assert found[0].error is not None
    assert (found[1].text, found[1].error) == ("second", None)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (play.stream("<html>a proxy's greeting</html>"), "ended before"),
        (play.stream("data: {not json\n\n"), "JSONDecodeError"),
        (play.stream('data: {"choices": null}\n\n'), "TypeError"),
        (play.stream("data: 7\n\n"), "no event"),
        (play.stream('data: {"choices": [{"delta": {"content": 5}, "finish_reason": "stop"}]}\n\n'), "TypeError"),
        (play.stream('data: {"error": {"message": "out of memory"}}\n\n'), "out of memory"),
        (play.stream('data: {"choices": [{"delta": {"content": "ha"}}]}\n\n'), "ended before"),
    ],
    ids=["html", "no json", "no choices", "no object", "no text", "error event", "cut off"],
)
def test_a_broken_stream_is_a_failed_call_and_is_not_tried_again(model: Model, act: Any, words: str) -> None:
    with serving(act) as server:
        completion = one(model, server)
    assert completion.error is not None
    assert words in completion.error
    assert completion.text == ""
    assert len(server.bodies) == 1


def test_an_engine_that_does_not_start_leaves_no_connection_open(model: Model) -> None:
    with serving(play.status(404)) as server:
        made = engine(model, server)
        before = threading.active_count()
        with pytest.raises(UserError, match="knows no model"):
            made.start()
    assert threading.active_count() <= before


def test_events_are_whole_however_they_are_cut(model: Model) -> None:
    text = (
        'data: {"choices": [{"delta": {"content": "één"}}]}\r\n\r\n: a comment\n\n'
        'data: {"choices": [{"delta": {"content": " two"}, "finish_reason": "stop"}]}'
    )
    for cut in (5, 40, 44, 70):  # within the mark, the text and a character of two bytes, and the end of a line
        with serving(play.stream(*_split(text, cut))) as server:
            completion = one(model, server)
        assert (completion.text, completion.finish_reason, completion.error) == ("één two", "stop", None)


def _split(text: str, at: int) -> tuple[bytes, bytes]:
    data = text.encode()
    return data[:at], data[at:]


def test_an_event_without_end_is_a_failed_call(model: Model) -> None:
    with serving(play.stream("data: " + "x" * event_stream.LONGEST_LINE)) as server:
        assert "a line of more than" in str(one(model, server).error)


def test_the_environments_proxy_is_taken(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(play.answer("by a proxy")) as server:
        monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1"))
        made = OpenAIEngine(model=model, base_url="http://model.invalid/v1", retries=0)
        [(_, completion)] = made.generate([request()])
        made.close()
        assert (completion.text, completion.error) == ("by a proxy", None)
        assert server.paths == ["http://model.invalid/v1/chat/completions"]

        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert one(model, server).text == "by a proxy"


def test_a_netrc_that_knows_the_host_does_not_get_between(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(play.answer("fine")) as server:
        assert one(model, server).text == "fine"
        assert server.keys == ["Bearer secret-1234"]


@pytest.mark.parametrize("act", [play.stall, play.answer("slow but steady " * 20, between=0.1)])
def test_a_stream_that_stalls_or_drags_on_times_out_once(model: Model, act: Any) -> None:
    started = time.monotonic()
    with serving(act) as server:
        completion = one(model, server, timeout_seconds=0.4)
        assert time.monotonic() - started < 3
    assert completion.error == "TimeoutError: no complete answer within 0.4 s"
    assert len(server.bodies) == 1


def test_nobody_there_is_a_failure_of_the_run_and_no_answer(model: Model) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        made = OpenAIEngine(
            model=model,
            base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1",
            retries=1,
            backoff_seconds=0.01,
        )
        gone = r"engine\.base_url=.*: no server answers there"
        with pytest.raises(Failure, match=rf"{gone}; what is answered is kept, and the same command goes on"):
            list(made.generate([request()]))
        with pytest.raises(Failure, match=gone):
            made.start()
        made.close()


def test_a_server_that_goes_in_the_middle_ends_the_run_after_what_it_answered(model: Model) -> None:
    with serving(play.answer("quick")) as server:
        made = engine(model, server, concurrency=1, retries=1)
        source = made.generate([request(), request()])
        assert next(source)[1].text == "quick"
    with pytest.raises(Failure, match="no server answers there"):
        next(source)
    made.close()


@pytest.mark.parametrize("act", [play.gone, play.reset, play.status(502), play.status(503)])
def test_a_call_that_was_lost_is_told_from_one_that_failed(model: Model, act: Any) -> None:
    with serving(act, play.echo) as server:
        completion = one(model, server, retries=0)
    assert unreached(completion.error)
    with serving(play.status(500), play.echo) as server:
        assert not unreached(one(model, server, retries=0).error)


def test_a_gateway_with_nobody_behind_it_is_no_server(model: Model) -> None:
    said = r"no server answers there \(HTTP 503: no\); what is answered is kept"
    with (
        serving(play.status(503)) as server,
        closing(engine(model, server)) as made,
        pytest.raises(Failure, match=said),
    ):
        list(made.generate([request()]))


def test_a_server_that_is_there_is_ready_to_start(model: Model) -> None:
    with serving(play.echo) as server:
        made = engine(model, server)
        made.start()
        made.close()
    [body] = server.bodies
    assert (body["model"], body["max_tokens"]) == (model.name, 1)


@pytest.mark.parametrize(
    ("act", "kind", "said"),
    [
        (play.status(404), UserError, "knows no model 'tiny', or the address is not the one that ends in /v1"),
        (play.status(401), Failure, "refused the key in $OPENAI_API_KEY"),
        (play.status(200, "<html>hello</html>", Content_Type="text/html"), Failure, "not as an OpenAI-compatible"),
        (play.stream("data: {broken\n\n"), Failure, "not as an OpenAI-compatible server"),
    ],
)
def test_a_wrong_address_is_found_out_by_the_first_call(
    act: Any, kind: type[Exception], said: str, model: Model
) -> None:
    with serving(act) as server, closing(engine(model, server)) as made, pytest.raises(kind, match=re.escape(said)):
        made.start()


def test_a_server_in_trouble_may_start_and_its_calls_are_counted(model: Model) -> None:
    with serving(play.status(500)) as server, closing(engine(model, server)) as made:
        made.start()


def test_an_adapter_that_the_server_has_not_loaded_is_named(model: Model, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter")
    with (
        serving(play.status(404)) as server,
        closing(engine(model, server)) as made,
        pytest.raises(UserError, match=r"engine\.served_adapters") as error,
    ):
        made.serves(adapter.path)
    assert adapter.name in str(error.value)


def test_an_adapter_is_asked_for_by_the_hash_of_its_weights_or_its_served_name(model: Model, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter")
    with serving(play.echo) as server:
        one(model, server, request(adapter=adapter.path))
        one(model, server, request(adapter=adapter.path), served_adapters={adapter.name: "support-bot"})
        one(model, server, request(), served_model="org/tiny")
    assert [body["model"] for body in server.bodies] == [adapter.name, "support-bot", "org/tiny"]


def test_an_adapter_that_is_not_there_is_the_users_mistake(model: Model, tmp_path: Path) -> None:
    with serving(play.echo) as server:
        made = engine(model, server)
        with pytest.raises(UserError, match=r"no adapter_model\.safetensors"):
            list(made.generate([request(adapter=str(tmp_path))]))
        made.close()


def test_a_schema_and_further_fields_are_passed_on(model: Model) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    asked = Request(messages=request().messages, sampling=Sampling(), schema=schema)
    with serving(play.echo) as server:
        one(model, server, asked, extra_body={"top_k": 0})
    [body] = server.bodies
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    }
    assert body["top_k"] == 0


def test_the_key_comes_from_the_environment_and_stays_out_of_sight(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE_KEY", "other-5678\n")
    with serving(play.echo) as server:
        made = engine(model, server, key_variable="HOUSE_KEY")
        list(made.generate([request()]))
        assert "5678" not in repr(made)
        assert "5678" not in str({name: getattr(made, name) for name in made.__dataclass_fields__})
        made.close()
    assert server.keys == ["Bearer other-5678"]


def test_a_closed_generator_hangs_up_at_once(model: Model) -> None:
    with serving(play.answer("quick"), play.stall) as server:
        made = engine(model, server, concurrency=4)
        source = made.generate(request() for _ in range(50))
        assert next(source)[1].text == "quick"
        while server.now < 3:
            time.sleep(0.01)
        started = time.monotonic()
        source.close()
        while server.now and time.monotonic() - started < 5:
            time.sleep(0.01)
        assert server.now == 0
        assert server.lost == 3, "the server sees that its clients are gone"
        assert len(server.bodies) == 4
        made.close()


def test_a_closed_generator_does_not_wait_for_further_tries(model: Model) -> None:
    with serving(play.answer("quick"), play.status(429, Retry_After="30")) as server:
        made = engine(model, server, concurrency=2)
        source = made.generate(request() for _ in range(50))
        next(source)
        started = time.monotonic()
        source.close()
        made.close()
        assert time.monotonic() - started < 3
        assert len(server.bodies) <= 3


def test_nothing_is_left_open(model: Model) -> None:
    def sockets() -> int:
        links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
        return sum(os.path.exists(link) and os.readlink(link).startswith("socket:") for link in links)

    with serving(play.echo) as server:
        first = engine(model, server)
        first.start()  # what a first call loads is loaded
        first.close()
    before, threads = sockets(), {thread for thread in threading.enumerate() if thread.name == "openai-calls"}
    with serving(play.echo) as server:
        made = engine(model, server, concurrency=4)
        list(made.generate(request() for _ in range(8)))
        list(made.generate(request() for _ in range(2)))
        made.close()
        made.close()
        assert {thread for thread in threading.enumerate() if thread.name == "openai-calls"} == threads
    assert sockets() == before


@pytest.mark.parametrize("setting", ["concurrency", "timeout_seconds", "retries", "backoff_seconds"])
def test_a_setting_out_of_range_is_named(model: Model, setting: str) -> None:
    with pytest.raises(UserError, match=rf"engine\.{setting}=-1: must be"):
        OpenAIEngine(model=model, **{setting: -1})
