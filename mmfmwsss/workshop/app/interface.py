# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The page itself: components of gradio and which click does what.

Gradio is imported when a page is built, so that the package works without.
"""

import os
from collections.abc import Callable
from typing import Any

from ...utils import UserInputError
from .page_actions import PageActions, PageView

__all__ = ['build_page', 'launch_page']

_TITLE = 'mmfmwsss: photos and tags to seeds'
_HEAD = """
# From photos and tags to segmentation

Drop photos, choose one, type what it shows, press **Segment**. Nothing is
trained: a CLIP finds each tag, SAM's masks give it a shape. Change a tag, and
the seed changes. Everything stays on this computer.
"""
_CSS = """
.gradio-container {max-width: 1500px !important}
footer {display: none !important}
.scores, .scores tr, .scores td, .scores th {border: none !important}
.scores td, .scores th {padding: 2px 8px 2px 0 !important;
  text-align: left; white-space: nowrap; font-size: 90%}
.scores .bar {height: 10px; background: #3b76c4; border-radius: 2px}
.status p {margin: 2px 0}
#picture img {cursor: crosshair}
"""
# Letters of the computer itself: a page that needs no network.
_FONTS = ('ui-sans-serif', 'system-ui', 'sans-serif')
_MONO = ('ui-monospace', 'monospace')
_INSTALL = 'pip install "gradio>=6"'


def _import_gradio() -> Any:
    """Import gradio, with all that it would send switched off."""
    for name, value in (
        ('GRADIO_ANALYTICS_ENABLED', 'False'),
        ('HF_HUB_DISABLE_TELEMETRY', '1'),
        ('HF_HUB_OFFLINE', '1'),
    ):
        os.environ[name] = value
    try:
        import gradio
    except ImportError as error:
        raise UserInputError(
            f'Expected gradio, which draws the page, but got: {error}. '
            f'Install it with: {_INSTALL}'
        ) from error
    return gradio


def build_page(actions: PageActions) -> Any:
    """Build the page.

    Args:
        actions (PageActions): Answer the clicks.

    Returns:
        gradio.Blocks: For :func:`launch_page`.

    Raises:
        UserInputError: If gradio is not installed.
    """
    gr = _import_gradio()
    with gr.Blocks(title=_TITLE, analytics_enabled=False) as page:
        gr.Markdown(_HEAD)
        name = gr.State('')
        with gr.Row():
            # Left: the photos, and what is done with all of them
            with gr.Column(scale=1, min_width=300):
                drop = gr.File(
                    label='Drop photos here',
                    file_count='multiple',
                    height=150,
                    elem_id='drop',
                )
                photos = gr.Gallery(
                    label='Photos',
                    columns=2,
                    height=420,
                    allow_preview=False,
                    buttons=[],
                    elem_id='photos',
                )
                pack = gr.Button('Pack for training', elem_id='pack')
                archive = gr.File(
                    label='Folder for training',
                    height=110,
                    elem_id='archive',
                    interactive=False,
                )
            # Right: one photo
            with gr.Column(scale=3):
                title = gr.Markdown(elem_id='title')
                with gr.Row(equal_height=True):
                    tags = gr.Textbox(
                        label='Tags, separated by commas',
                        placeholder='cat, sofa   (empty: the CLIP guesses)',
                        scale=4,
                        elem_id='tags',
                    )
                    segment = gr.Button(
                        'Segment', variant='primary', elem_id='segment'
                    )
                    remove = gr.Button('Take out', elem_id='remove')
                status = gr.HTML(elem_id='status', elem_classes='status')
                with gr.Row():
                    picture = gr.Image(
                        label='Seed: click for the reason',
                        interactive=False,
                        format='png',
                        height=520,
                        buttons=['fullscreen'],
                        scale=3,
                        elem_id='picture',
                    )
                    with gr.Column(scale=2, min_width=380):
                        reason = gr.HTML(elem_id='reason')
                        scores = gr.HTML(elem_id='scores')
                masks = _gallery(gr, "SAM's masks by level, coloured by class")
                cams = _gallery(gr, 'Class activation maps')
                files = gr.File(
                    label='Masks, seed and overlay of this photo',
                    file_count='multiple',
                    interactive=False,
                    elem_id='files',
                )
        # The order is that of PageView
        view = [
            name, photos, title, tags, picture, cams, masks, scores, reason,
            status, files,
        ]  # fmt: skip
        # Wire the clicks; only the picture shows that it is waited for
        wait = dict(show_progress_on=picture)
        page.load(_plain(actions.start), None, view, **wait)
        drop.upload(_plain(actions.add), [name, drop], view, **wait).then(
            lambda: None, None, drop
        )
        for trigger in (segment.click, tags.submit):
            trigger(_plain(actions.segment), [name, tags], view, **wait)
        remove.click(_plain(actions.remove), [name], view, **wait)
        photos.select(_by_index(gr, actions), None, view, **wait)
        picture.select(
            _by_point(gr, actions), [name], [picture, reason], **wait
        )
        pack.click(actions.archive, None, [archive, status])
    return page


def _gallery(gr: Any, label: str) -> Any:
    return gr.Gallery(
        label=label,
        columns=3,
        height=330,
        object_fit='contain',
        fit_columns=False,
        format='jpeg',
        buttons=['fullscreen'],
    )


def _plain(action: Callable[..., PageView]) -> Callable[..., list[Any]]:
    """Give the fields of a view as a list, as gradio wants its outputs."""

    def run(*args: Any) -> list[Any]:
        return list(action(*args))

    return run


def _by_index(gr: Any, actions: PageActions) -> Callable[..., list[Any]]:
    """Answer the choice of a photo in the gallery."""

    def run(event: Any) -> list[Any]:
        return list(actions.choose(int(event.index)))

    run.__annotations__['event'] = gr.SelectData  # by which gradio knows it
    return run


def _by_point(gr: Any, actions: PageActions) -> Callable[..., Any]:
    """Answer a click in the photo."""

    def run(name: str, event: Any) -> Any:
        return actions.explain(name, event.index)

    run.__annotations__['event'] = gr.SelectData
    return run


def launch_page(page: Any, port: int | None, open_browser: bool) -> str:
    """Serve the page to this computer alone, in the background.

    Args:
        page (gradio.Blocks): From :func:`build_page`.
        port (int, optional): None takes the first free one from 7860 on.
        open_browser (bool): Whether to open the browser.

    Returns:
        str: Address of the page.

    Raises:
        UserInputError: If the port is taken.
    """
    gr = _import_gradio()
    page.queue(default_concurrency_limit=1)
    try:
        _, address, _ = page.launch(
            server_name='127.0.0.1',
            server_port=port,
            share=False,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            show_error=True,
            quiet=True,
            footer_links=[],
            enable_monitoring=False,
            mcp_server=False,
            pwa=False,
            ssr_mode=False,
            max_file_size='200mb',
            theme=gr.themes.Default(font=_FONTS, font_mono=_MONO),
            css=_CSS,
        )
    except OSError as error:
        raise UserInputError(
            f'Expected a free port for the page, but: {error}. Give another '
            'with --port, or none.'
        ) from error
    return str(address)
