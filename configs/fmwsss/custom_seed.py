# Fine seeds of your own photos from the learnt prompts, as palette PNGs. They
# are not scored; where you have masks, `<photo>.png` of label values, add
# --cfg-options test_evaluator.ground_truth_dir=FOLDER.
# Needs: the checkpoint of custom_prompt.py.
# Run:   python tools/test.py configs/fmwsss/custom_seed.py
# Cost:  CUSTOM_MODELS=photo: 16 s of one CPU thread for 50 photos, the start
#        included (measured); with the full models not run.
_base_ = './custom_prompt.py'
work_dir = f'{_base_.work}/seed'
load_from = f'{_base_.work}/prompt/epoch_{_base_.prompt_epochs}.pth'
train_command = 'python tools/train.py configs/fmwsss/custom_prompt.py'
