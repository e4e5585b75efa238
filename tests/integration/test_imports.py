# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""``import mmfmwsss`` brings the method, and nothing of the workshop."""

import json
import subprocess
import sys

_CODE = """
import json, sys
import torch, mmfmwsss
print(json.dumps(sorted(sys.modules)))
"""


def test_the_package_loads_no_workshop() -> None:
    done = subprocess.run(
        [sys.executable, '-c', _CODE],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert 'mmfmwsss.models.segmentors.clip_prompt_segmentor' in loaded
    assert not [m for m in loaded if m.startswith('mmfmwsss.workshop')]
    assert not {'jinja2', 'pandas'} & set(loaded)
