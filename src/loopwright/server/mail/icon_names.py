"""The icons that LMX knows, by the names of Font Awesome; `tools/icons.py` draws them into `icons/`.

The glyphs are those of Bootstrap Icons. An icon is one shape in one colour, so white ones have holes as well.
"""

from difflib import get_close_matches
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

Drawing: TypeAlias = Literal[
    "glyph", "cut from square", "hole of circle", "hole of square", "hole of circle, cut from square"
]
"""How an icon is made of its glyph. A hole is what a glyph leaves of a circle or square."""

FOLDER = Path(__file__).with_name("icons")
IMAGE_PIXELS = 96
"""Width and height of every image: twice the largest size that an email shows."""

COLORS = {"#000000": "black", "#808080": "gray", "#ffffff": "white"}
"""The colours that an icon may have, and their names in addresses."""


class Icon(Struct, frozen=True):
    """An icon: what readers call it, the Bootstrap Icon that it is made of, and how."""

    label: str
    glyph: str
    drawing: Drawing = "glyph"


ICONS = {
    "amazon": Icon("Amazon", "amazon"),
    "android": Icon("Android", "android2"),
    "apple": Icon("Apple", "apple"),
    "at": Icon("Email", "at"),
    "behance": Icon("Behance", "behance"),
    "bell": Icon("Notifications", "bell-fill"),
    "bluesky": Icon("Bluesky", "bluesky"),
    "book": Icon("Book", "book-fill"),
    "bookmark": Icon("Bookmark", "bookmark-fill"),
    "calendar": Icon("Calendar", "calendar-fill"),
    "camera": Icon("Photos", "camera-fill"),
    "cart-shopping": Icon("Shop", "cart-fill"),
    "circle-info": Icon("Information", "info-circle-fill"),
    "circle-question": Icon("Help", "question-circle-fill"),
    "clock": Icon("Time", "clock-fill"),
    "comment": Icon("Comment", "chat-fill"),
    "discord": Icon("Discord", "discord"),
    "download": Icon("Download", "download"),
    "dribbble": Icon("Dribbble", "dribbble"),
    "dropbox": Icon("Dropbox", "dropbox"),
    "envelope": Icon("Email", "envelope-fill"),
    "facebook": Icon("Facebook", "facebook"),
    "facebook-f": Icon("Facebook", "facebook", "hole of circle"),
    "facebook-messenger": Icon("Messenger", "messenger"),
    "file": Icon("File", "file-earmark-fill"),
    "gear": Icon("Settings", "gear-fill"),
    "gift": Icon("Gift", "gift-fill"),
    "github": Icon("GitHub", "github"),
    "gitlab": Icon("GitLab", "gitlab"),
    "globe": Icon("Website", "globe"),
    "google": Icon("Google", "google"),
    "headphones": Icon("Listen", "headphones"),
    "heart": Icon("Like", "heart-fill"),
    "house": Icon("Home", "house-fill"),
    "image": Icon("Image", "image-fill"),
    "instagram": Icon("Instagram", "instagram"),
    "line": Icon("LINE", "line"),
    "link": Icon("Link", "link-45deg"),
    "linkedin": Icon("LinkedIn", "linkedin"),
    "linkedin-in": Icon("LinkedIn", "linkedin", "hole of square"),
    "location-dot": Icon("Location", "geo-alt-fill"),
    "map": Icon("Map", "map-fill"),
    "mastodon": Icon("Mastodon", "mastodon"),
    "medium": Icon("Medium", "medium"),
    "message": Icon("Message", "chat-square-fill"),
    "microphone": Icon("Podcast", "mic-fill"),
    "microsoft": Icon("Microsoft", "microsoft"),
    "music": Icon("Music", "music-note-beamed"),
    "newspaper": Icon("News", "newspaper"),
    "paper-plane": Icon("Send", "send-fill"),
    "paypal": Icon("PayPal", "paypal"),
    "phone": Icon("Phone", "telephone-fill"),
    "pinterest": Icon("Pinterest", "pinterest"),
    "play": Icon("Play", "play-fill"),
    "quora": Icon("Quora", "quora"),
    "reddit": Icon("Reddit", "reddit"),
    "rss": Icon("RSS", "rss-fill", "hole of square"),
    "share": Icon("Share", "share-fill"),
    "share-nodes": Icon("Share", "share-fill"),
    "signal-messenger": Icon("Signal", "signal"),
    "skype": Icon("Skype", "skype"),
    "slack": Icon("Slack", "slack"),
    "snapchat": Icon("Snapchat", "snapchat"),
    "spotify": Icon("Spotify", "spotify"),
    "square-behance": Icon("Behance", "behance", "cut from square"),
    "square-bluesky": Icon("Bluesky", "bluesky", "cut from square"),
    "square-dribbble": Icon("Dribbble", "dribbble", "cut from square"),
    "square-envelope": Icon("Email", "envelope-fill", "cut from square"),
    "square-facebook": Icon("Facebook", "facebook", "hole of circle, cut from square"),
    "square-github": Icon("GitHub", "github", "cut from square"),
    "square-gitlab": Icon("GitLab", "gitlab", "cut from square"),
    "square-instagram": Icon("Instagram", "instagram", "cut from square"),
    "square-linkedin": Icon("LinkedIn", "linkedin"),
    "square-phone": Icon("Phone", "telephone-fill", "cut from square"),
    "square-pinterest": Icon("Pinterest", "pinterest", "hole of circle, cut from square"),
    "square-reddit": Icon("Reddit", "reddit", "cut from square"),
    "square-rss": Icon("RSS", "rss-fill"),
    "square-share-nodes": Icon("Share", "share-fill", "cut from square"),
    "square-snapchat": Icon("Snapchat", "snapchat", "cut from square"),
    "square-threads": Icon("Threads", "threads", "cut from square"),
    "square-twitter": Icon("Twitter", "twitter", "cut from square"),
    "square-vimeo": Icon("Vimeo", "vimeo", "cut from square"),
    "square-whatsapp": Icon("WhatsApp", "whatsapp", "cut from square"),
    "square-x-twitter": Icon("X", "twitter-x", "cut from square"),
    "square-youtube": Icon("YouTube", "youtube", "cut from square"),
    "stack-overflow": Icon("Stack Overflow", "stack-overflow"),
    "star": Icon("Star", "star-fill"),
    "steam": Icon("Steam", "steam"),
    "store": Icon("Store", "shop"),
    "strava": Icon("Strava", "strava"),
    "substack": Icon("Substack", "substack"),
    "telegram": Icon("Telegram", "telegram"),
    "threads": Icon("Threads", "threads"),
    "tiktok": Icon("TikTok", "tiktok"),
    "twitch": Icon("Twitch", "twitch"),
    "twitter": Icon("Twitter", "twitter"),
    "user": Icon("Profile", "person-fill"),
    "users": Icon("Community", "people-fill"),
    "video": Icon("Video", "camera-video-fill"),
    "vimeo": Icon("Vimeo", "vimeo"),
    "weibo": Icon("Weibo", "sina-weibo"),
    "weixin": Icon("WeChat", "wechat"),
    "whatsapp": Icon("WhatsApp", "whatsapp"),
    "windows": Icon("Windows", "windows"),
    "wordpress": Icon("WordPress", "wordpress"),
    "x-twitter": Icon("X", "twitter-x"),
    "yelp": Icon("Yelp", "yelp"),
    "youtube": Icon("YouTube", "youtube"),
}


def file_name(name: str, color: str) -> str:
    """The image of an icon; `color` is one of `COLORS`."""
    return f"{name}-{COLORS[color]}.png"


def mistake(name: str) -> str | None:
    """What is wrong with an icon's name, as the end of a sentence; it tells the name that was meant."""
    if name in ICONS:
        return None
    near = get_close_matches(name.strip().lower(), _MEANT, n=1)
    if near:
        return f'is no known icon; write "{_MEANT[near[0]]}"'
    return f"is no known icon; the icons are {', '.join(ICONS)}"


# What people may write: the label, the name as older versions have it, and the name itself.
_MEANT = (
    {icon.label.lower(): name for name, icon in reversed(ICONS.items())}
    | {f"{name.removeprefix('square-')}-square": name for name in ICONS if name.startswith("square-")}
    | {name: name for name in ICONS}
)
