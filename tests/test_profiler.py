"""The profiler: what is measured, how it is added up, tables, traces, schedules; and that it leaves nothing behind."""

import gzip
import json
import threading

import pytest

import autograd
import nn
from autograd import graph, profiler
from autograd.profiler import ProfilerAction, ProfilerActivity, profile, record_function, schedule
from autograd.rows import dispatch, nodes, public


def program():
    model = nn.Linear(4, 3)
    with record_function("forward"):
        loss = model(autograd.randn(2, 4)).relu().sum()
    loss.backward()


@pytest.fixture
def measured():
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True, profile_memory=True) as prof:
        program()
    return prof


def test_every_operator_is_measured(measured):
    counts = {event.key: event.count for event in measured.key_averages()}
    once = "forward aten::linear aten::relu aten::sum aten::randn SumBackward0 ReluBackward0 AddmmBackward0"
    assert {name: counts.get(name) for name in once.split()} == dict.fromkeys(once.split(), 1)
    assert counts["torch::autograd::AccumulateGrad"] == 2


def test_events_nest_and_their_times_add_up(measured):
    events = measured.events()
    outer = events[[event.name for event in events].index("forward")]
    assert outer.is_user_annotation
    assert {"aten::linear", "aten::relu"} <= {child.name for child in outer.cpu_children}
    for event in events:
        assert event.end >= event.start > 0
        assert event.self_cpu_time_total == pytest.approx(
            event.cpu_time_total - sum(child.cpu_time_total for child in event.cpu_children)
        )
        for child in event.cpu_children:
            assert child.cpu_parent is event
            assert event.start <= child.start <= child.end <= event.end
    tops = [event for event in events if event.cpu_parent is None]
    assert measured.self_cpu_time_total == pytest.approx(sum(event.cpu_time_total for event in tops))
    total = measured.total_average()
    assert (total.key, total.count) == ("Total", len(events))


def test_shapes_and_memory(measured):
    linear = next(event for event in measured.events() if event.name == "aten::linear")
    assert linear.input_shapes == [[2, 4], [3, 4], [3]]
    assert linear.cpu_memory_usage == 2 * 3 * 4
    both = measured.key_averages(group_by_input_shape=True)
    assert any(event.input_shapes == "[[2, 4], [3, 4], [3]]" for event in both)
    with profile() as plain:
        program()
    assert all(event.input_shapes == [] and event.cpu_memory_usage == 0 for event in plain.events())


def test_memory_that_begins_with_a_line():
    with profile(profile_memory=True) as prof:
        autograd.ones(64, 64)[1:]
    assert [event.cpu_memory_usage for event in prof.events()] == [64 * 64 * 4, 0]


def test_gradients_of_gradients_and_small_operators():
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    (x * x + 1).exp()  # the short paths are ready
    with profile() as prof:
        (g,) = autograd.grad((x * x).sum(), x, create_graph=True)
        (g * g).sum().backward()
        -x
    counts = {event.key: event.count for event in prof.key_averages()}
    assert counts["MulBackward0"] == 4
    assert counts["aten::neg"] == 1


def test_table(measured):
    lines = measured.key_averages().table(sort_by="self_cpu_time_total", row_limit=2).splitlines()
    assert "Self CPU %" in lines[1]
    assert "CPU Mem" in lines[1]
    assert len(lines) == 7  # three rules, titles, two rows, the total
    assert lines[-1].startswith("Self CPU time total: ")
    times = [event.self_cpu_time_total for event in measured.key_averages()]
    name = measured.key_averages()[times.index(max(times))].key
    assert name in lines[3]
    assert "us" in measured.key_averages().table(time_unit="us")
    assert measured.key_averages().table(header="A title").splitlines()[1] == "A title"
    top = measured.events().table(top_level_events_only=True)
    assert "aten::linear" not in top
    assert "forward" in top
    with pytest.raises(AttributeError):
        measured.key_averages().table(sort_by="beauty")


def test_the_table_looks_like_pytorch_s(measured, torch):
    with torch.profiler.profile(profile_memory=True) as theirs:
        torch.ones(2, 3).relu()
    titles = [prof.key_averages().table().splitlines()[1].split() for prof in (measured, theirs)]
    assert titles[0] == titles[1]


@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
def test_chrome_trace(measured, tmp_path, name):
    measured.add_metadata("note", "a")
    measured.add_metadata_json("more", "[1]")
    measured.export_chrome_trace(tmp_path / name)
    with gzip.open(tmp_path / name, "rt") if name.endswith("gz") else open(tmp_path / name) as file:
        trace = json.load(file)
    assert [event["name"] for event in trace["traceEvents"]] == [event.name for event in measured.events()]
    assert (trace["note"], trace["more"]) == ("a", [1])
    assert {event["ph"] for event in trace["traceEvents"]} == {"X"}


def test_lines_of_code(tmp_path):
    with profile(with_stack=True) as prof:
        program()
    linear = next(event for event in prof.events() if event.name == "aten::relu")
    assert "test_profiler.py" in linear.stack[0]
    assert "program" in linear.stack[0]
    prof.export_stacks(str(tmp_path / "stacks"))
    assert "program" in (tmp_path / "stacks").read_text()
    assert prof.key_averages(group_by_stack_n=1)[0].stack


@pytest.mark.filterwarnings("ignore:Profiler won't be using warmup")
def test_schedule_is_pytorch_s(torch):
    for options in (
        {"wait": 1, "warmup": 1, "active": 2},
        {"wait": 0, "warmup": 0, "active": 1, "repeat": 2},
        {"wait": 2, "warmup": 1, "active": 3, "repeat": 2, "skip_first": 3},
        {"wait": 2, "warmup": 1, "active": 1, "skip_first_wait": 1},
    ):
        mine, other = schedule(**options), torch.profiler.schedule(**options)
        assert [mine(step).name for step in range(20)] == [other(step).name for step in range(20)]
    for bad in ({"wait": -1, "warmup": 0, "active": 1}, {"wait": 0, "warmup": 0, "active": 0}):
        with pytest.raises(AssertionError):
            torch.profiler.schedule(**bad)
        with pytest.raises(AssertionError):
            schedule(**bad)


def test_rounds_of_steps(tmp_path):
    seen = []

    def ready(prof):
        seen.append([event.name for event in prof.events() if event.name.startswith("ProfilerStep")])

    with profile(schedule=schedule(wait=1, warmup=1, active=2, repeat=2), on_trace_ready=ready) as prof:
        for _ in range(10):
            autograd.ones(2).exp()
            prof.step()
    assert seen == [["ProfilerStep#2", "ProfilerStep#3"], ["ProfilerStep#6", "ProfilerStep#7"]]
    handler = profiler.tensorboard_trace_handler(str(tmp_path / "log"), "me")
    with profile(on_trace_ready=handler):
        program()
    assert [path.name.startswith("me.") for path in (tmp_path / "log").iterdir()] == [True]
    assert prof.current_action is ProfilerAction.NONE


def test_nothing_is_left_behind():
    before = dispatch.apply_pointwise, dispatch.apply_coarse, nodes.RowNode.vjp, dict(public.TORCH), autograd.zeros
    methods = {name: value for name, value in vars(autograd.Tensor).items() if callable(value)}
    prof = profile()
    with pytest.raises(RuntimeError, match="shape"), prof:
        autograd.zeros(2).exp() @ autograd.zeros(3, 3)
    after = dispatch.apply_pointwise, dispatch.apply_coarse, nodes.RowNode.vjp, dict(public.TORCH), autograd.zeros
    assert after == before
    assert {name: vars(autograd.Tensor)[name] for name in methods} == methods
    assert not graph.is_watched()
    assert "aten::exp" in [event.name for event in prof.events()]
    count = len(prof.events())
    program()
    assert len(prof.events()) == count


def test_threads():
    with profile() as prof, record_function("here"):
        thread = threading.Thread(target=lambda: autograd.ones(3).exp())
        thread.start()
        thread.join()
    event = next(event for event in prof.events() if event.name == "aten::exp")
    assert event.cpu_parent is None
    assert len({event.thread for event in prof.events()}) == 2


def test_record_function_outside_and_as_a_decorator():
    @record_function("named")
    def square(x):
        return x * x

    assert square(autograd.tensor(3.0)).item() == 9
    with profile() as prof:
        square(autograd.tensor(3.0))
    named = next(event for event in prof.events() if event.name == "named")
    assert "aten::mul" in {child.name for child in named.cpu_children}


def test_the_older_form_and_refusals():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        old = profile(use_cuda=True)
    with old:
        with pytest.raises(RuntimeError, match="already enabled"):
            profile().start()
        autograd.ones(2).exp()
    assert "aten::exp" in str(old)
    assert old.function_events is old.events()
    with pytest.raises(AssertionError, match="finish"):
        profile().events()
    with profile(enabled=False) as off:
        program()
    assert off.events() == []
    assert profiler.supported_activities() == {ProfilerActivity.CPU}
