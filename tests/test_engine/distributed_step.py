# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run by torchrun: losses and gradients of this process's share of batches.

    distributed_step.py BATCHES OUT

BATCHES has the config of a model, and preprocessed inputs and samples by name.
"""

import os
import sys

import torch
import torch.distributed
from mmengine.registry import DefaultScope
from mmseg.registry import MODEL_WRAPPERS, MODELS

import mmfmwsss  # noqa: F401  registers


def main() -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group('gloo')
    rank, size = int(os.environ['RANK']), int(os.environ['WORLD_SIZE'])
    given = torch.load(sys.argv[1], weights_only=False)
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODEL_WRAPPERS.build(
            dict(
                type='AnyDeviceDataParallel',
                module=MODELS.build(given['config']),
                device_ids=[rank],
                broadcast_buffers=False,
            )
        )
        found = {}
        for name, (inputs, samples) in given['batches'].items():
            model.zero_grad()
            losses = model(
                inputs[rank::size], samples[rank::size], mode='loss'
            )
            sum(losses.values()).backward()
            found[name] = dict(
                losses={key: loss.detach() for key, loss in losses.items()},
                grads={
                    key: parameter.grad.clone()
                    for key, parameter in model.module.named_parameters()
                },
            )
    torch.save(found, f'{sys.argv[2]}.{rank}')
    torch.distributed.destroy_process_group()


if __name__ == '__main__':
    main()
