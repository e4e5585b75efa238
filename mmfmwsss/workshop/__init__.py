# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The workshop: everything around the method that is not the method.

=====================  =====================================================
``partworld/``         a small drawn world, to run the whole method anywhere
``photo_clip/``        training of the CLIP for photos
``report/``            the HTML report on runs
``tables/``            the paper's tables and figures, run and set side by side
``stages/``            a chain of commands, each run once
``benchmarks/``        cost, against what a user would run instead
``dataset_checks/``    faults of a data set, found before hours are spent
``cam_files.py``       class activation maps that other methods wrote
``tiny_models.py``     small models with random weights, for tests
``random_sam.py``      random SAMs that find something, for tests
=====================  =====================================================

It may import the method; the method never imports it.
"""
