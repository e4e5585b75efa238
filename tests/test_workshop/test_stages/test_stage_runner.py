# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Stages run once, again when they or what they need change, and fail well."""

import shlex
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger

from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.stages import Stage, StageRunner

COUNT = 'open("count.txt", "a").write("x")'


def stage(name: str = 'one', code: str = COUNT, **kwargs: object) -> Stage:
    return Stage(name, 'a stage', ('-c', code), **kwargs)


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


def test_records_of_another_checkout_count(tmp_path: Path) -> None:
    """Machines share the work of the tables; each has its own folder."""
    keys = []
    for place in ('here', 'there'):
        root = tmp_path / place
        (root / 'configs').mkdir(parents=True)
        (root / 'configs' / 'c.py').write_text(f"names = '{root}/names.txt'")
        (root / 'names.txt').write_text('cat')
        chosen = Stage(
            'one',
            'a stage',
            ('-c', COUNT, 'configs/c.py'),
            environment=dict(LIST=str(root / 'names.txt')),
        )
        runner = StageRunner(root, root / 'out')
        keys.append(runner.key(chosen))
    assert keys[0] == keys[1]
    # What the file says still counts
    (root / 'names.txt').write_text('dog')
    assert runner.key(chosen) != keys[1]


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


WRITE = (
    COUNT + '; import os; os.makedirs("made", exist_ok=True); '
    'open("made/a.txt", "w").write("result"); '
    'open("made/metrics.json", "w").write(str(os.getpid()))'
)


def writing(code: str = WRITE, **kwargs: object) -> Stage:
    return stage('one', code, outputs=('made',), **kwargs)


@pytest.mark.parametrize('name', ['a.txt', 'metrics.json'])
@pytest.mark.parametrize('change', [Path.unlink, Path.touch, 'edit'])
def test_deleted_and_edited_outputs_are_made_again(
    tmp_path: Path, name: str, change: object
) -> None:
    assert StageRunner(tmp_path, tmp_path / 'out').run(writing())
    path = tmp_path / 'made' / name
    before = path.read_text()
    if change == 'edit':
        path.write_text('x' * len(before))
    else:
        assert callable(change)
        change(path)
    ran = StageRunner(tmp_path, tmp_path / 'out').run(writing())
    assert ran == (change is not Path.touch)
    if name == 'a.txt':
        assert path.read_text() == before
    # a file that someone else puts there is none of its outputs
    (tmp_path / 'made' / 'other.txt').write_text('mine')
    assert not StageRunner(tmp_path, tmp_path / 'out').run(writing())


def test_what_reads_a_changed_output_runs_again(tmp_path: Path) -> None:
    code = (
        'import os; os.makedirs("made", exist_ok=True); '
        'open("made/a.txt", "w").write(open("source.txt").read())'
    )
    after = stage('two', needs=('one',))
    (tmp_path / 'source.txt').write_text('first')
    for text, delete, expected in (
        ('first', False, 1),
        ('second', False, 1),  # nothing says that the stage reads it
        ('second', True, 2),
        ('second', True, 2),  # made again as it was: no reason to run
    ):
        (tmp_path / 'source.txt').write_text(text)
        if delete:
            (tmp_path / 'made' / 'a.txt').unlink()
        runner = StageRunner(tmp_path, tmp_path / 'out')
        runner.run(writing(code))
        runner.run(after)
        assert runs(tmp_path) == expected


def test_a_changed_input_runs_it_again(tmp_path: Path) -> None:
    photo = tmp_path / 'photos' / 'a.jpg'
    photo.parent.mkdir()
    chosen = stage(inputs=('photos',))
    for text, expected in (('one', 1), ('one', 1), ('two', 2), ('two', 2)):
        if not photo.exists() or photo.read_text() != text:
            photo.write_text(text)
        StageRunner(tmp_path, tmp_path / 'out').run(chosen)
        assert runs(tmp_path) == expected


def test_a_changed_file_that_a_config_names_runs_it_again(
    tmp_path: Path,
) -> None:
    config = tmp_path / 'configs' / 'c.py'
    config.parent.mkdir()
    config.write_text("model = dict(parts=[dict(checkpoint='sam.pth')])")
    chosen = Stage('one', 'a stage', ('-c', COUNT, 'configs/c.py'))
    for text, expected in (('one', 1), ('one', 1), ('two', 2)):
        (tmp_path / 'sam.pth').write_text(text)
        StageRunner(tmp_path, tmp_path / 'out').run(chosen)
        assert runs(tmp_path) == expected


def test_the_folders_of_a_config_are_outputs(tmp_path: Path) -> None:
    config = tmp_path / 'configs' / 'c.py'
    config.parent.mkdir()
    config.write_text(
        "work_dir = 'work'\n"
        "test_evaluator = [dict(output_dir='seeds'), dict(output_dir=None)]"
    )
    code = COUNT + (
        '; import os; os.makedirs("seeds", exist_ok=True); '
        'open("seeds/a.png", "w").write("seed")'
    )
    chosen = Stage('one', 'a stage', ('-c', code, 'configs/c.py'))
    StageRunner(tmp_path, tmp_path / 'out').run(chosen)
    assert not StageRunner(tmp_path, tmp_path / 'out').run(chosen)
    (tmp_path / 'seeds' / 'a.png').unlink()
    assert StageRunner(tmp_path, tmp_path / 'out').run(chosen)


TRAIN = """
import os, sys
open('count.txt', 'a').write('r' if '--resume' in sys.argv else 'x')
os.makedirs('work', exist_ok=True)
if 'stop' in open('how.txt').read():
    open('work/last_checkpoint', 'w').write('work/iter_2.pth')
    sys.exit(1)
"""


def test_a_training_that_was_stopped_is_resumed(tmp_path: Path) -> None:
    (tmp_path / 'train.py').write_text(TRAIN)
    (tmp_path / 'how.txt').write_text('stop')
    command = ('train.py', '--work-dir', 'work')
    chosen = Stage('one', 'train', command)
    runner = StageRunner(tmp_path, tmp_path / 'out')
    for expected in ('x', 'xr'):
        with pytest.raises(UserInputError, match='exit code 1'):
            runner.run(chosen)
        assert (tmp_path / 'count.txt').read_text() == expected
    # Another training does not start from what this one left.
    (tmp_path / 'how.txt').write_text('go')
    other = Stage('one', 'train', command, environment=dict(SEED='1'))
    assert runner.run(other)
    assert (tmp_path / 'count.txt').read_text() == 'xrx'
    assert not runner.run(other)
    # Nor does one that was begun anew and stopped before its first.
    runner.run(chosen)
    assert (tmp_path / 'count.txt').read_text() == 'xrxx'


def test_options_of_the_command_are_part_of_the_config(tmp_path: Path) -> None:
    """What a command moves elsewhere is looked for there."""
    config = tmp_path / 'configs' / 'c.py'
    config.parent.mkdir()
    config.write_text(
        "work_dir = 'work'\ntest_evaluator = dict(output_dir='seeds')\n"
    )
    code = COUNT + '; import os; os.makedirs("moved", exist_ok=True); '
    code += 'open("moved/a.txt", "w").write("seed")'
    options = ('--cfg-options', 'test_evaluator.output_dir=moved')
    chosen = Stage('one', 'a stage', ('-c', code, 'configs/c.py', *options))
    for expected in (1, 1):
        runner = StageRunner(tmp_path, tmp_path / 'out')
        runner.run(chosen)
        assert list(runner.records['one'].outputs) == ['moved/a.txt']
        assert runs(tmp_path) == expected
    (tmp_path / 'moved' / 'a.txt').unlink()
    assert StageRunner(tmp_path, tmp_path / 'out').run(chosen)


def test_the_way_of_starting_is_no_part_of_the_result(tmp_path: Path) -> None:
    launch = ('sh', '-c', 'printf x >> count.txt; echo $PYTHON > python.txt')
    for started, expected in (((), 1), (launch, 1)):
        runner = StageRunner(tmp_path, tmp_path / 'out')
        runner.run(stage(launch=started))
        assert runs(tmp_path) == expected
    StageRunner(tmp_path, tmp_path / 'other').run(stage(launch=launch))
    assert runs(tmp_path) == 2
    assert Path((tmp_path / 'python.txt').read_text().strip()).is_file()


def test_what_is_adopted_is_taken_as_it_is(tmp_path: Path) -> None:
    after = stage('two', needs=('one',))
    # A result that no run left: what reads it runs, once
    (tmp_path / 'made').mkdir()
    (tmp_path / 'made' / 'a.txt').write_text('mine')
    for text, expected in (('mine', 1), ('mine', 1), ('edited', 2)):
        (tmp_path / 'made' / 'a.txt').write_text(text)
        runner = StageRunner(tmp_path, tmp_path / 'out')
        runner.adopt(writing())
        runner.run(after)
        assert runs(tmp_path) == expected
    # A result of a run: what was done on it is still done
    runner = StageRunner(tmp_path, tmp_path / 'out')
    assert runner.run(writing()) and runner.run(after)
    runner = StageRunner(tmp_path, tmp_path / 'out')
    runner.adopt(writing())
    assert not runner.run(after)


def test_forgetting_deletes_what_the_stage_left_and_no_more(
    tmp_path: Path,
) -> None:
    StageRunner(tmp_path, tmp_path / 'out').run(writing())
    (tmp_path / 'made' / 'mine.txt').write_text('keep')
    runner = StageRunner(tmp_path, tmp_path / 'out')
    runner.forget(writing())
    assert [path.name for path in (tmp_path / 'made').iterdir()] == [
        'mine.txt'
    ]
    assert runner.run(writing())
    runner.forget(stage('never run'))


def test_a_line_for_the_shell() -> None:
    chosen = Stage(
        'one', 'a stage', ('tools/a.py', 'b c'), environment={'D': "e'f"}
    )
    assert shlex.split(chosen.shell_line()) == [
        "D=e'f", 'python', 'tools/a.py', 'b c',
    ]  # fmt: skip
