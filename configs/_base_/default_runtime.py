# What every run shares: the plugin's import, logging, hooks.
custom_imports = dict(imports=['mmfmwsss'], allow_failed_imports=False)
default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# Curves and pictures go to files; to TensorBoard as well with `tools/train.py
# --tensorboard`, or with `visualizer = dict(vis_backends=[
# dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])`.
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(
    type='NamedLabelVisualizer', vis_backends=vis_backends, name='visualizer'
)
log_processor = dict(by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # On a full disk, or stopped at any moment, a run keeps one to go on from.
    checkpoint=dict(type='SafeCheckpointHook', by_epoch=False, interval=1000),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # A resumed training repeats the uninterrupted one.
    randomness=dict(type='ReproducibleIterationHook'),
    # A loss that is NaN or infinite ends the training.
    finite=dict(type='FiniteTrainingHook'),
    # prompts.pth beside the checkpoints: what one publishes.
    prompt_file=dict(type='PromptFileHook'),
    visualization=dict(type='SegVisualizationHook'),
    # Strips of 4 images, CAMs and seeds while prompts learn (other models have
    # none), in vis_data/vis_image; off with `images=0`.
    seed_visualization=dict(
        type='SeedVisualizationHook', interval=500, images=4
    ),
)
custom_hooks = [dict(type='ProgressBarHook')]
