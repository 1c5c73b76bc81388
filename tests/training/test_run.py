from pathlib import Path

from training_runs import events, start, toy_config


def test_a_run_does_what_its_schedule_says(pictures: Path, tmp_path: Path) -> None:
    run = start(toy_config(pictures, tmp_path))
    steps = [event["step"] for event in events(run, "step")]
    assert steps == [1, 2, 3, 4, 5, 6]
