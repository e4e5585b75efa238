# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import pytest
import torch
from safetensors.torch import save_file

from mmfmwsss.models.masks import build_sam, build_small_sam
from mmfmwsss.utils import UserInputError

SMALL = dict(
    image_size=32,
    patch_size=8,
    encoder_width=12,
    encoder_depth=1,
    encoder_heads=3,
    decoder_width=16,
    decoder_heads=2,
    decoder_mlp=16,
)


@pytest.fixture
def state():
    torch.manual_seed(0)
    return build_small_sam(**SMALL).state_dict()


def test_pth_and_half_precision_safetensors(state, tmp_path):
    torch.save(state, tmp_path / 'a.pth')
    halves = {name: value.half() for name, value in state.items()}
    save_file(halves, tmp_path / 'a.safetensors')
    exact = build_sam(SMALL, tmp_path / 'a.pth').state_dict()
    rounded = build_sam(SMALL, tmp_path / 'a.safetensors').state_dict()
    for name, value in state.items():
        assert torch.equal(exact[name], value)
        assert rounded[name].dtype == torch.float32
        assert torch.equal(rounded[name], value.half().float())


def test_frozen_and_in_evaluation_mode():
    sam = build_sam(SMALL, None)
    assert not sam.training
    assert not any(p.requires_grad for p in sam.parameters())


def test_unknown_architectures():
    with pytest.raises(UserInputError, match=r"vit_b, vit_l.*got 'vit_x'"):
        build_sam('vit_x', None)
    with pytest.raises(UserInputError, match=r'build_small_sam.*no_such'):
        build_sam(dict(SMALL, no_such=3), None)


def test_missing_file_names_the_official_one():
    with pytest.raises(UserInputError, match=r'sam_vit_b_01ec64\.pth'):
        build_sam('vit_b', '/no/such.pth')


def test_missing_file_names_the_command():
    with pytest.raises(UserInputError, match=r'get_weights\.py sam_vit_b'):
        build_sam('vit_b', '/no/such.pth')
    with pytest.raises(UserInputError, match=r'get_weights\.py mobile_sam`'):
        build_sam('vit_t', '/no/such.pt')


def test_weights_of_another_model(state, tmp_path):
    file = tmp_path / 'a.pth'
    torch.save(state, file)
    wider = dict(SMALL, encoder_width=24)
    with pytest.raises(
        UserInputError, match=r'a\.pth, found a SAM of encoder width 12'
    ):
        build_sam(wider, file)
    torch.save({'layer.weight': torch.zeros(3)}, file)
    with pytest.raises(UserInputError, match='1 weights that are not a SAM'):
        build_sam(SMALL, file)
    official = torch.zeros(1, 64, 64, 1280)
    torch.save({'image_encoder.pos_embed': official}, file)
    with pytest.raises(UserInputError, match='found those of vit_h'):
        build_sam(SMALL, file)


def test_wrapped_weights(state, tmp_path):
    torch.save({'model': state}, tmp_path / 'a.pth')
    with pytest.raises(UserInputError, match=r"found a dict with 'model'"):
        build_sam(SMALL, tmp_path / 'a.pth')
    torch.save([1], tmp_path / 'a.pth')
    with pytest.raises(UserInputError, match='found a list'):
        build_sam(SMALL, tmp_path / 'a.pth')


@pytest.mark.parametrize('name', ['a.pth', 'a.pt', 'a.safetensors'])
@pytest.mark.parametrize('content', [b'', b'nonsense', b'PK\x03\x04half'])
def test_damaged_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserInputError, match=rf'{name}, but it cannot be'):
        build_sam(SMALL, tmp_path / name)


class Unsafe:
    def __reduce__(self):
        return print, ('ran code from a checkpoint',)


def test_checkpoints_run_no_code(tmp_path, capsys):
    torch.save({'x': Unsafe()}, tmp_path / 'a.pth')
    with pytest.raises(UserInputError, match='cannot be read'):
        build_sam(SMALL, tmp_path / 'a.pth')
    assert not capsys.readouterr().out
