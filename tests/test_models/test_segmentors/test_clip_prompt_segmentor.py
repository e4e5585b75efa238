# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The orchestration of Figure 2 on a random CLIP and hand-made masks."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from mmengine.runner.checkpoint import get_state_dict, load_checkpoint
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmfmwsss.models.cams import softmax_gradcam
from mmfmwsss.models.segmentors import CLIPPromptSegmentor
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.tiny_models import random_clip_arch

CLASS_PROMPTS = dict(classes=['cat', 'dog', 'car'], background=['sky', 'sea'])
SAMS = dict(type='SAMS', alpha=0.6)


def config(**changes: Any) -> dict[str, Any]:
    model = dict(
        type='CLIPPromptSegmentor',
        data_preprocessor=dict(
            type='SegDataPreProcessor', mean=[120.0] * 3, std=[60.0] * 3,
            bgr_to_rgb=True, size_divisor=1,
        ),
        clip=dict(type='FrozenCLIP', arch=random_clip_arch()),
        class_prompts=CLASS_PROMPTS,
        streams=dict(
            classification=dict(
                type='CLIPPromptHead',
                prompts=dict(type='LearnablePrompts', context_length=4),
                loss=dict(type='MultiLabelContrastiveLoss'),
            ),
            segmentation=dict(
                type='CLIPPromptHead',
                prompts=dict(
                    type='LearnablePrompts', context_length=4,
                    class_specific=True, name_position='front',
                    nameless_background=True,
                ),
                loss=dict(type='CAMActivationLoss'),
            ),
        ),
        caa=dict(type='CAA'),
        training_route=dict(stream='classification', seeder=SAMS),
        main_route='fine_seed',
        routes=dict(
            fine_seed=dict(stream='segmentation', seeder=SAMS),
            cam=dict(
                stream='segmentation', use_caa=False,
                seeder=dict(type='ArgmaxSeeder'),
            ),
        ),
    )  # fmt: skip
    model.update(changes)
    return model


@pytest.fixture
def model() -> CLIPPromptSegmentor:
    torch.manual_seed(0)
    return MODELS.build(config())


def batch(size: tuple[int, int] = (32, 40)) -> dict[str, list[Any]]:
    generator = torch.Generator().manual_seed(0)
    samples = []
    for labels in ([True, True, False], [False, False, True]):
        sample = SegDataSample()
        sample.set_metainfo(dict(ori_shape=size, img_shape=size))
        sample.image_labels = torch.tensor(labels)
        masks = torch.zeros(3, *size, dtype=torch.bool)
        masks[0, :10], masks[1, 10:20], masks[2, 20:, 20:] = True, True, True
        sample.sam_masks = SAMMasks(
            masks=masks,
            levels=torch.tensor([2, 2, 1]),
            predicted_iou=torch.ones(3),
            stability_score=torch.ones(3),
        )
        samples.append(sample)
    images = torch.randint(0, 255, (2, 3, *size), generator=generator)
    return dict(inputs=list(images.to(torch.uint8)), data_samples=samples)


def test_losses_train_the_prompts_and_nothing_else(
    model: CLIPPromptSegmentor,
) -> None:
    model.train()
    data = model.data_preprocessor(batch(), True)
    losses = model.loss(**data)
    assert set(losses) == {'loss_mcl', 'loss_cal'}
    sum(losses.values()).backward()
    learnt = {n for n, p in model.named_parameters() if p.requires_grad}
    assert learnt == {
        'streams.classification.prompts.context',
        'streams.segmentation.prompts.context',
    }
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    assert all(p.grad is None for p in model.clip.parameters())


@torch.no_grad()
def test_losses_are_those_of_the_parts(model: CLIPPromptSegmentor) -> None:
    data = model.data_preprocessor(batch(), True)
    losses = model.loss(**data)
    features, last_block = model.encode(data['inputs'])
    labels = torch.stack([s.image_labels for s in data['data_samples']])
    text = {n: s.text_features(model.clip) for n, s in model.streams.items()}
    logits = model.clip.scale * (
        F.normalize(last_block.embedding, dim=1) @ text['classification'].T
    )
    mcl = model.stream('classification').classification_loss(
        logits[:, :3], labels
    )
    torch.testing.assert_close(losses['loss_mcl'], mcl['loss_mcl'])

    coarse, pairs = softmax_gradcam(
        features,
        last_block,
        text['classification'],
        model.clip.scale,
        labels,
    )
    coarse = model.caa(coarse, features.attention, pairs[:, 0])
    seeds = []
    for n, sample in enumerate(data['data_samples']):
        mine = pairs[:, 0] == n
        large = F.interpolate(
            coarse[mine][None], size=(32, 40), mode='bilinear'
        )[0]
        seeds.append(
            model.training_route.seeder(
                large, pairs[mine, 1], sample.sam_masks
            )
        )
    cams, pairs = softmax_gradcam(
        features,
        last_block,
        text['segmentation'],
        model.clip.scale,
        labels,
    )
    cal = model.stream('segmentation').cam_loss(
        cams, pairs, torch.stack(seeds)
    )
    torch.testing.assert_close(losses['loss_cal'], cal['loss_cal'])


def test_seeds_hold_present_classes_only(model: CLIPPromptSegmentor) -> None:
    model.eval()
    samples = model.test_step(batch())
    for sample, allowed in zip(samples, ({0, 1, 2}, {0, 3}), strict=True):
        for route in ('fine_seed', 'cam', 'pred_sem_seg'):
            seed = sample.get(route).data
            assert seed.shape == (1, 32, 40)
            assert set(seed.unique().tolist()) <= allowed
        assert torch.equal(sample.pred_sem_seg.data, sample.fine_seed.data)


def test_an_image_without_classes_is_background(
    model: CLIPPromptSegmentor,
) -> None:
    data = batch()
    data['data_samples'][0].image_labels[:] = False
    samples = model.eval().test_step(data)
    assert not samples[0].pred_sem_seg.data.any()


def test_seeds_do_not_depend_on_the_batch(model: CLIPPromptSegmentor) -> None:
    model.eval()
    together = [s.fine_seed.data for s in model.test_step(batch())]
    for n in range(2):
        data = batch()
        alone = model.test_step({k: v[n : n + 1] for k, v in data.items()})
        assert torch.equal(alone[0].fine_seed.data, together[n])


def test_failed_images_pass_through(model: CLIPPromptSegmentor) -> None:
    data = batch()
    data['data_samples'][0].set_metainfo(dict(failure='corrupt'))
    one = {k: v[:1] for k, v in data.items()}
    (sample,) = model.eval().test_step(one)
    assert 'pred_sem_seg' not in sample


@pytest.mark.parametrize('bad', [0, 1, 2])
@pytest.mark.parametrize('size', [(32, 32), (32, 40)])
def test_a_failed_image_does_not_void_the_batch(
    model: CLIPPromptSegmentor, bad: int, size: tuple[int, int]
) -> None:
    """A placeholder is of its own size, or by chance of the others'."""
    model.eval()
    expected = model.test_step(batch())
    data = batch()
    placeholder = batch(size)['data_samples'][0]
    placeholder.set_metainfo(dict(failure='corrupt'))
    data['inputs'].insert(bad, torch.zeros(3, *size, dtype=torch.uint8))
    data['data_samples'].insert(bad, placeholder)
    found = model.test_step(data)
    assert found.pop(bad) is placeholder
    assert 'pred_sem_seg' not in placeholder
    for sample, other in zip(found, expected, strict=True):
        for name in ('fine_seed', 'cam', 'pred_sem_seg'):
            ours, theirs = sample.get(name).data, other.get(name).data
            assert torch.equal(ours, theirs)
        torch.testing.assert_close(sample.class_scores, other.class_scores)
    scored = model.val_step({k: list(v) for k, v in data.items()})
    assert len(scored) == 3


def test_an_image_without_its_masks_is_one_failure(
    model: CLIPPromptSegmentor,
) -> None:
    data = batch()
    masks = data['data_samples'][0].sam_masks
    smaller = SAMMasks(
        masks.masks[:, :16],
        masks.levels,
        masks.predicted_iou,
        masks.stability_score,
    )
    data['data_samples'][0].sam_masks = smaller
    bad, good = model.eval().test_step(data)
    assert 'expected masks of the size' in bad.failure
    assert 'pred_sem_seg' not in bad and 'fine_seed' not in bad
    assert 'pred_sem_seg' in good and 'failure' not in good
    data = batch()  # a pipeline without masks is of no use for any image
    del data['data_samples'][0].sam_masks
    with pytest.raises(UserInputError, match='the pipeline loads none'):
        model.test_step(data)


def test_stock_augmentation_is_refused(model: CLIPPromptSegmentor) -> None:
    with pytest.raises(UserInputError, match='seeds are made from one view'):
        MODELS.build(dict(type='SegTTAModel', module=model))


def test_checkpoints_hold_prompts_only(
    model: CLIPPromptSegmentor, tmp_path: Any
) -> None:
    state = get_state_dict(model)
    assert set(state) == {
        f'streams.{stream}.prompts.{name}'
        for stream in ('classification', 'segmentation')
        for name in ('context', 'layout')
    }
    path = tmp_path / 'prompts.pth'
    torch.save(dict(state_dict=state, meta={}), path)
    assert path.stat().st_size < 20_000
    torch.load(path, weights_only=True)
    torch.manual_seed(0)
    other = MODELS.build(config())
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    load_checkpoint(other, str(path), strict=True)
    for ours, theirs in zip(
        model.parameters(), other.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_text_features_are_forgotten_when_the_mode_changes(
    model: CLIPPromptSegmentor,
) -> None:
    model.eval()
    before = model.test_step(batch())[0].fine_seed.data
    model.train()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter))
    model.eval()
    model.test_step(batch())
    stream = model.stream('segmentation')
    fresh = stream.frozen_text_features(model.clip)
    expected = stream.text_features(model.clip)
    torch.testing.assert_close(fresh, expected)
    assert before.shape == (1, 32, 40)


def test_clip_moves_with_the_model(model: CLIPPromptSegmentor) -> None:
    model.double()
    assert model.clip.model.visual.proj.dtype == torch.float64


def test_copies_share_the_frozen_clip(model: CLIPPromptSegmentor) -> None:
    """An average of the weights copies the prompts only."""
    copied = copy.deepcopy(model)
    assert copied.clip is model.clip
    ours, theirs = (dict(m.named_parameters()) for m in (model, copied))
    assert list(ours) == list(theirs)
    assert all(ours[name] is not theirs[name] for name in ours)


def test_manual_prompts_need_no_training() -> None:
    model = MODELS.build(
        config(
            streams=dict(
                manual=dict(
                    type='CLIPPromptHead', prompts=dict(type='ManualPrompts')
                )
            ),
            training_route=None,
            main_route=None,
            routes=dict(seed=dict(stream='manual', seeder=SAMS)),
        )
    )
    assert not list(model.parameters())
    samples = model.eval().test_step(batch())
    assert samples[0].seed.data.shape == (1, 32, 40)


def test_a_route_may_have_masks_of_its_own(tmp_path: Path) -> None:
    """Its seed is that of a run whose pipeline loads those masks."""
    data = batch()
    others = batch()
    for number, (sample, other) in enumerate(
        zip(data['data_samples'], others['data_samples'], strict=True)
    ):
        own = sample.sam_masks.filter(torch.tensor([True, False, True]))
        own.save(tmp_path / f'{number}.json', 'settings')
        other.sam_masks = own
        for each in (sample, other):
            each.set_metainfo(dict(img_path=f'{number}.jpg'))
    own_masks = dict(mask_dir=str(tmp_path))
    route = dict(stream='segmentation', seeder=SAMS)
    torch.manual_seed(0)
    routes = dict(plain=route, own=dict(route, **own_masks))
    model = config(routes=routes, main_route='plain')
    model = MODELS.build(model).eval()
    mixed, expected = model.test_step(data), model.test_step(others)
    for ours, theirs in zip(mixed, expected, strict=True):
        assert torch.equal(ours.own.data, theirs.plain.data)
    with pytest.raises(
        ValueError, match='`training_route` without `mask_dir`'
    ):
        MODELS.build(config(training_route=dict(route, **own_masks)))


def test_the_main_route_is_named_not_the_first() -> None:
    routes = config()['routes']
    both = [dict(routes), dict(reversed(routes.items()))]
    for ordered in both:
        torch.manual_seed(0)
        model = MODELS.build(config(routes=ordered, main_route='cam')).eval()
        for sample in model.test_step(batch()):
            assert torch.equal(sample.pred_sem_seg.data, sample.cam.data)
    only = dict(cam=routes['cam'])
    model = MODELS.build(config(routes=only, main_route=None))
    assert model.main_route == 'cam'
    model = MODELS.build(config(routes={}, main_route=None))
    assert model.main_route is None
    for wrong in (None, 'seed'):
        with pytest.raises(
            UserInputError, match=r"one of the routes \['cam', 'fine_seed'\]"
        ):
            MODELS.build(config(main_route=wrong))


def test_errors() -> None:
    routes = dict(seed=dict(stream='manual', seeder=SAMS))
    with pytest.raises(ValueError, match="but got 'manual'"):
        MODELS.build(config(routes=routes, main_route=None))
    only = {'segmentation': config()['streams']['segmentation']}
    with pytest.raises(
        ValueError, match="'training_route'.*got 'classification'"
    ):
        MODELS.build(config(streams=only))
    model = MODELS.build(config())
    data = batch()
    for sample in data['data_samples']:
        sample.image_labels = torch.tensor([True, False])
    with pytest.raises(ValueError, match='of 3 foreground classes.*gives 2'):
        model.test_step(data)
    with pytest.raises(NotImplementedError, match='image labels'):
        model.encode_decode(torch.zeros(1, 3, 32, 32), None)
