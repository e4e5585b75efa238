# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""End a command: what the user can mend is one line, the last on stderr."""

import errno
import json
import logging
import os
import re
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType

import torch
from mmengine.logging import MMLogger
from mmengine.registry import Registry, root

from ..utils import UserInputError, explain_write_error, nearby_names
from ..utils.allocator import keep_freed_memory
from .processes import StoppedBySignal

__all__ = ['explain_error', 'run_reporting_user_errors']

_USER_ERROR = 2

# Of other packages, on what a user of ours can or need do nothing about.
_KNOWN_WARNINGS = (
    'The draw is False',  # mmseg's hook, which --show-dir switches on
    '`torch.jit.script` is deprecated',  # torch's own forward mode
    "__array__ implementation doesn't accept a copy",  # pycocotools
    'This DataLoader will create',  # torch, where cores are fewer: they wait
    'Default ``avg_non_ignore`` is False',  # mmseg's loss, which is meant
)
# What some mmengine releases put in front of an error of a constructor.
_ADDRESS = re.compile(r'^(class `\w+` in [\w/.\\-]+: )+')
_FROM_WORKER = re.compile(r'^Caught (\w+) in DataLoader worker process')
_UNKNOWN_CLASS = re.compile(
    r'^(?P<name>[\w.]+) is not in the (?P<registry>[\w :-]+) registry'
    r'|^Failed to get (?P<lost>[\w.]+)$'
)
_PATH_NAMES = ('filename', 'file', 'path', 'target', 'file_path', 'filepath')
_NO_MEMORY = re.compile(
    r"out of memory|can't allocate memory|Cannot allocate memory", re.I
)
_LESS_MEMORY = (
    'Take smaller batches (--cfg-options train_dataloader.batch_size=...), '
    'for the masks of SAM model.source.points_per_batch=16 or '
    'SAM_ARCH=vit_b or vit_t, or a machine with more memory.'
)
_WORKER_DIED = re.compile(
    r'DataLoader worker .*(killed by signal|exited unexpectedly)', re.S
)
_HALF_WRITTEN = re.compile(
    r'PytorchStreamWriter failed|unexpected pos \d+ vs|requested and \d+ '
    r'written|No space left on device|file write failed'
)


def run_reporting_user_errors(main: Callable[[], int]) -> None:
    """Run a command and exit.

    What the user can mend ends as one line on stderr, without a traceback and
    after all else: a :class:`UserInputError`, files that cannot be read or
    written, too little memory, a class that no registry has (exit code 2);
    and a signal n (128 + n). Any other error is a defect and keeps its
    traceback.
    """
    # Hide warnings that the user can do nothing about.
    for message in _KNOWN_WARNINGS:
        warnings.filterwarnings('ignore', re.escape(message))
    logging.raiseExceptions = False  # a full disk ends the run, not its log
    keep_freed_memory()
    # Run it, with all of its output written.
    try:
        code = main()
        sys.stdout.flush()
    except (KeyboardInterrupt, StoppedBySignal) as stop:
        number = getattr(stop, 'number', int(signal.SIGINT))
        name = signal.Signals(number).name
        _report(f'Stopped by {name}. What is done is kept. {_go_on()}')
        sys.exit(128 + number)
    except Exception as error:
        text = explain_error(error)
        if text is None:
            raise
        _report(text, error)
        sys.exit(_USER_ERROR)
    sys.exit(code)


def explain_error(error: BaseException) -> str | None:
    """Say what a user can do about an error.

    Args:
        error (BaseException): What ended a command.

    Returns:
        str | None: One line; None for what is no user's matter.
    """
    text = _text_of(error)
    # Pass on what the package says itself.
    if isinstance(error, UserInputError):
        return _ADDRESS.sub('', text.rsplit('UserInputError: ', 1)[-1].strip())
    # Explain what the machine lacks.
    if isinstance(error, MemoryError) or _NO_MEMORY.search(text):
        return f'There is too little memory ({_first(text)}). {_LESS_MEMORY}'
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return f'The GPU has too little memory. {_LESS_MEMORY}'
    # Explain what is wrong with files, workers or the config.
    if isinstance(error, OSError):
        return _explain_os_error(_restored(error, text), text)
    if _HALF_WRITTEN.search(text):
        return _explain_half_file(error, text)
    if _WORKER_DIED.search(text):
        return (
            f'A process that loads pictures died ({_first(text)}), often for '
            'lack of memory or of shared memory (docker run --shm-size=8g). '
            'Load in the main process to see why: --cfg-options '
            'train_dataloader.num_workers=0 '
            'train_dataloader.persistent_workers=False'
        )
    return _explain_config_error(error, text)


def _text_of(error: BaseException) -> str:
    """Take the message of an error, also of one that a worker passed on."""
    text = str(error.args[0] if isinstance(error, KeyError) else error)
    caught = _FROM_WORKER.match(text)
    if caught is None:
        return text
    # The worker's error is the last of the traceback that is its text.
    return text.rsplit(f'{caught[1]}: ', 1)[-1].strip()


def _first(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:200] if lines else 'no details'


def _restored(error: OSError, text: str) -> OSError:
    """Restore the error of a worker, of which only the text has come."""
    parts = re.match(r"\[Errno (\d+)\] (.*?)(?:: '(.*)')?$", text)
    if error.errno is not None or parts is None:
        return error
    return OSError(int(parts[1]), parts[2], parts[3])


def _explain_os_error(error: OSError, text: str) -> str:
    """Name the file, and what is wrong with it."""
    # Explain pipes and open files, which name no file.
    if error.errno == errno.EPIPE:
        return 'Nobody reads the output any more (broken pipe). ' + _go_on()
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return (
            f'Too many files are open ({_first(text)}). Raise the limit with '
            '`ulimit -n 4096`, or use fewer workers.'
        )
    if error.errno is None and _HALF_WRITTEN.search(text):
        return _explain_half_file(error, text)
    # Name the file, and explain what is wrong with it.
    file = error.filename or _file_in(error) or 'a file'
    if isinstance(error, FileNotFoundError):
        return (
            f'Expected {os.fsdecode(file)}, but it is not there. Correct the '
            'path in the command or the config, or put it there.'
        )
    explained = explain_write_error(error, file)
    if explained is not None:
        return str(explained)
    return (
        f'Expected to read or write {os.fsdecode(file)}, but: '
        f'{error.strerror or _first(text)}. Check the disk, the connection '
        'and the path, and run the command again.'
    )


def _explain_half_file(error: BaseException, text: str) -> str:
    """Explain errors of libraries that hide what the system told them."""
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    file = _file_in(error) or 'a file'
    return f'{explain_write_error(full, file)} ({_first(text)})'


def _file_in(error: BaseException) -> str | None:
    """Find the path that the innermost function with one was given."""
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        found = _path_of(frame) or found
    return found


def _path_of(frame: FrameType) -> str | None:
    for name in _PATH_NAMES:
        value = frame.f_locals.get(name)
        if isinstance(value, str | os.PathLike) and os.fspath(value):
            return os.fsdecode(value)
    return None


def _explain_config_error(error: BaseException, text: str) -> str | None:
    """Explain errors of building what a config describes."""
    # Name the class that no registry has.
    unknown = _UNKNOWN_CLASS.match(text)
    if unknown and isinstance(error, KeyError | RuntimeError):
        name = unknown['name'] or unknown['lost']
        return (
            f'The config has the type `{name}`, which no package has '
            f'registered.{nearby_names(name, sorted(_known_classes()))} For '
            "classes of this package a config needs default_scope='mmseg' and "
            "custom_imports=dict(imports=['mmfmwsss']), as "
            'configs/_base_/default_runtime.py has; add your own modules '
            'there, and write classes of other packages with their scope, '
            'such as `mmdet.DiceLoss`.'
        )
    # Take a TypeError of the registry for a setting that does not fit.
    frames = traceback.extract_tb(error.__traceback__)
    built = frames and frames[-1].filename.endswith('build_functions.py')
    if isinstance(error, TypeError) and built:
        return (
            f'The config does not fit the class it names ({_first(text)}). '
            'Correct or delete that setting.'
        )
    return None


def _known_classes() -> set[str]:
    """List names in the registries of all packages."""

    def names(registry: Registry) -> Iterator[str]:
        yield from registry.module_dict
        for child in registry.children.values():
            yield from names(child)

    roots = [r for r in vars(root).values() if isinstance(r, Registry)]
    return {name for registry in roots for name in names(registry)}


def _go_on() -> str:
    # `tools/train.py`, or the command `mmfmwsss train`
    trains = re.search(r'\btrain(\.py)?$', sys.argv[0])
    more = ' and --resume' if trains else ''
    return f'To go on, run the same command again{more}.'


def _report(text: str, error: BaseException | None = None) -> None:
    """Write to the log files, to the launcher, and last to stderr."""
    # Name commands as they were typed.
    if sys.argv[0].startswith('mmfmwsss '):
        from mmfmwsss_cli import in_own_words

        text = in_own_words(text)
    # Write to the log files, the only place with a traceback.
    logger = MMLogger.get_current_instance()
    details = '' if error is None else _traceback_of(error)
    record = logger.makeRecord(
        logger.name, logging.ERROR, '', 0, text + details, (), None
    )
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)
    # Tell the launcher, which reports for all processes.
    with suppress(OSError):
        _tell_launcher(text)
    # Flush both streams, so that the line is the last.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # nobody reads it, or its disk is full
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.stderr.write(f'{text}\n')
    sys.stderr.flush()


def _traceback_of(error: BaseException) -> str:
    """Format the traceback for the log file; none for foreseen errors."""
    if isinstance(error, UserInputError):
        return ''
    return '\n' + ''.join(traceback.format_exception(error))


def _tell_launcher(text: str) -> None:
    """Leave the line where torchrun and tools/dist_train.sh look for it."""
    # Write it in the form that each launcher reads.
    about = {'py_callstack': text, 'timestamp': str(int(time.time()))}
    message = {'message': text, 'extraInfo': about}
    for name, content in (
        ('TORCHELASTIC_ERROR_FILE', json.dumps({'message': message})),
        ('MMFMWSSS_ERROR_FILE', f'{text}\n'),
    ):
        if os.environ.get(name):
            with open(os.environ[name], 'w', encoding='utf-8') as file:
                file.write(content)
