# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The scope ``mmfmwsss``: mmseg's registries under our name.

Our modules are in mmseg's own registries. A config with the base
``mmfmwsss::...`` has its parts built in the scope of that name, which mmengine
looks for here; each of these registries is empty and passes on to mmseg's,
which have to be filled before.
"""

from mmengine.registry import Registry
from mmseg import registry as mmseg_registry
from mmseg.utils import register_all_modules

__all__ = ['REGISTRIES']

register_all_modules(init_default_scope=False)

REGISTRIES = {
    name: Registry(
        parent.name, parent=parent, scope='mmfmwsss', locations=['mmfmwsss']
    )
    for name, parent in vars(mmseg_registry).items()
    if isinstance(parent, Registry)
}
