# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Stages run once, again when they or what they need change, and fail well."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger

from mmfmwsss.apis import Stage, StageRunner
from mmfmwsss.utils import UserInputError

COUNT = 'open("count.txt", "a").write("x")'


def stage(name: str = 'one', code: str = COUNT, **kwargs: object) -> Stage:
    return Stage(name, 'a stage', ('-c', code), **kwargs)  # type: ignore[arg-type]


def runs(root: Path) -> int:
    return len((root / 'count.txt').read_text())


def test_a_stage_runs_once(tmp_path: Path) -> None:
    assert StageRunner(tmp_path, tmp_path / 'out').run(stage())
    runner = StageRunner(tmp_path, tmp_path / 'out')
    assert not runner.run(stage())
    assert runs(tmp_path) == 1
    record = runner.records['one']
    assert record.seconds >= 0
    assert 1 < record.peak_mib < 10_000


def test_a_changed_variable_runs_it_again(tmp_path: Path) -> None:
    for seed, expected in (('0', 1), ('0', 1), ('1', 2)):
        runner = StageRunner(tmp_path, tmp_path / 'out')
        runner.run(stage(environment=dict(SEED=seed)))
        assert runs(tmp_path) == expected


def test_a_changed_config_runs_it_again(tmp_path: Path) -> None:
    config = tmp_path / 'configs' / 'c.py'
    config.parent.mkdir()
    chosen = Stage('one', 'a stage', ('-c', COUNT, 'configs/c.py'))
    for text, expected in (('x = 1', 1), ('x = 1  # why', 1), ('x = 2', 2)):
        config.write_text(text)
        StageRunner(tmp_path, tmp_path / 'out').run(chosen)
        assert runs(tmp_path) == expected


def test_variables_that_a_config_reads_are_not_listed(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('STAGE_TEST', '1')
    config = tmp_path / 'configs' / 'c.py'
    config.parent.mkdir()
    config.write_text("x = '{{$STAGE_TEST:0}}'")
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.addHandler(caplog.handler)
    chosen = Stage('one', 'a stage', ('-c', COUNT, 'configs/c.py'))
    StageRunner(tmp_path, tmp_path / 'out').run(chosen)
    assert caplog.text == ''
    assert logger.level == level
    Config.fromfile(config)
    logger.removeHandler(caplog.handler)
    assert 'STAGE_TEST' in caplog.text  # others see it as ever


def test_a_changed_need_runs_what_needs_it(tmp_path: Path) -> None:
    after = stage('two', needs=('one',))
    for code, expected in (('pass', 1), ('pass', 1), ('0', 2)):
        runner = StageRunner(tmp_path, tmp_path / 'out')
        runner.run(stage('one', code))
        runner.run(after)
        assert runs(tmp_path) == expected


def test_the_environment_is_passed_on_and_put_back(tmp_path: Path) -> None:
    code = 'import os; print(os.environ["STAGE_TEST"])'
    runner = StageRunner(tmp_path, tmp_path / 'out')
    runner.run(stage(code=code, environment=dict(STAGE_TEST='here')))
    assert (tmp_path / 'out/logs/one.log').read_text() == 'here\n'
    with pytest.raises(UserInputError, match='exit code 1'):
        runner.run(stage('bare', code + ' # ', environment={}))


def test_a_failure_shows_the_log_and_leaves_no_record(tmp_path: Path) -> None:
    code = 'print("the reason"); raise SystemExit(3)'
    runner = StageRunner(tmp_path, tmp_path / 'out')
    with pytest.raises(UserInputError, match='the reason') as caught:
        runner.run(stage(code=code))
    assert 'exit code 3' in str(caught.value)
    assert str(tmp_path / 'out/logs/one.log') in str(caught.value)
    assert runner.recorded(stage(code=code)) is None
