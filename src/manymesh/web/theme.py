"""The page's theme. It uses the system's own fonts, so that the page loads nothing from elsewhere."""

from __future__ import annotations

import gradio as gr

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

_ACCENT = gr.themes.Color(
    name="petrol",
    c50="#eef7f7",
    c100="#d8ecec",
    c200="#b3d9d9",
    c300="#83c0c1",
    c400="#4fa2a4",
    c500="#2c8587",
    c600="#1f6b6e",
    c700="#1b5659",
    c800="#194548",
    c900="#173a3d",
    c950="#0a2123",
)


def theme() -> gr.themes.Base:
    """Gradio's base theme in our colours. Contrast of text is at least 4.5:1 in light and dark (WCAG 2.2, AA)."""
    return gr.themes.Base(
        primary_hue=_ACCENT,
        secondary_hue=_ACCENT,
        neutral_hue=gr.themes.colors.gray,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
        font=_SANS,
        font_mono=_MONO,
    ).set(
        body_background_fill="#f6f7f7",
        body_background_fill_dark="#15181b",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1d2125",
        background_fill_secondary="#f1f3f3",
        background_fill_secondary_dark="#272c31",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1d2125",
        block_border_width="1px",
        block_radius="14px",
        block_label_background_fill="*background_fill_secondary",
        block_label_text_color="*body_text_color_subdued",
        block_title_text_color="*body_text_color",
        block_title_text_weight="550",
        block_info_text_color="*body_text_color_subdued",
        body_text_color="#1c2326",
        body_text_color_dark="#e9edee",
        body_text_color_subdued="#5a666b",
        body_text_color_subdued_dark="#a3b0b5",
        border_color_primary="#dde2e3",
        border_color_primary_dark="#363d43",
        color_accent="#1f6b6e",
        color_accent_soft="#e2f0f0",
        color_accent_soft_dark="#1d3c3e",
        input_background_fill="#ffffff",
        input_background_fill_dark="#15181b",
        input_border_width="1px",
        input_border_color="#cfd6d8",
        input_border_color_dark="#434b52",
        button_primary_background_fill="#1f6b6e",
        button_primary_background_fill_hover="#1b5659",
        button_primary_background_fill_dark="#25787a",
        button_primary_background_fill_hover_dark="#2a8487",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_dark="#272c31",
        button_secondary_border_color="#cfd6d8",
        button_secondary_border_color_dark="#434b52",
        button_secondary_background_fill_hover="#eef2f2",
        button_secondary_background_fill_hover_dark="#30373d",
        button_border_width="1px",
        button_large_radius="10px",
    )
