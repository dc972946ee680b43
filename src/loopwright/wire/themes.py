"""Themes: styles that many emails share."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from loopwright.wire.answers import Answer


class ThemeStyles(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The styles of a theme; colours are hex text, sizes pixels. Those not set are left to the API."""

    background_color: str | UnsetType = UNSET
    background_x_padding: float | UnsetType = UNSET
    background_y_padding: float | UnsetType = UNSET
    body_color: str | UnsetType = UNSET
    body_x_padding: float | UnsetType = UNSET
    body_y_padding: float | UnsetType = UNSET
    body_font_family: str | UnsetType = UNSET
    body_font_category: str | UnsetType = UNSET
    border_color: str | UnsetType = UNSET
    border_width: float | UnsetType = UNSET
    border_radius: float | UnsetType = UNSET
    button_body_color: str | UnsetType = UNSET
    button_body_x_padding: float | UnsetType = UNSET
    button_body_y_padding: float | UnsetType = UNSET
    button_border_color: str | UnsetType = UNSET
    button_border_width: float | UnsetType = UNSET
    button_border_radius: float | UnsetType = UNSET
    button_text_color: str | UnsetType = UNSET
    button_text_format: float | UnsetType = UNSET
    button_text_font_size: float | UnsetType = UNSET
    divider_color: str | UnsetType = UNSET
    divider_border_width: float | UnsetType = UNSET
    text_base_color: str | UnsetType = UNSET
    text_base_font_size: float | UnsetType = UNSET
    text_base_line_height: float | UnsetType = UNSET
    text_base_letter_spacing: float | UnsetType = UNSET
    text_link_color: str | UnsetType = UNSET
    heading1_color: str | UnsetType = UNSET
    heading1_font_size: float | UnsetType = UNSET
    heading1_line_height: float | UnsetType = UNSET
    heading1_letter_spacing: float | UnsetType = UNSET
    heading2_color: str | UnsetType = UNSET
    heading2_font_size: float | UnsetType = UNSET
    heading2_line_height: float | UnsetType = UNSET
    heading2_letter_spacing: float | UnsetType = UNSET
    heading3_color: str | UnsetType = UNSET
    heading3_font_size: float | UnsetType = UNSET
    heading3_line_height: float | UnsetType = UNSET
    heading3_letter_spacing: float | UnsetType = UNSET


class Theme(Answer, frozen=True, kw_only=True):
    """A theme."""

    id: str
    name: str
    styles: ThemeStyles
    is_default: bool = False
    created_at: datetime
    updated_at: datetime


class ThemeUpdated(Theme, frozen=True, kw_only=True):
    """A changed theme, and how many emails the change reaches (0 for a new name only)."""

    affected_email_count: int = 0
