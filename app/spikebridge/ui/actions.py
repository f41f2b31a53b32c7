"""What can be done, by which keys; the menu and the help overlay are both made from this list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """name : method of the window. keys : Qt key sequences. shown : keys as people read them."""

    name: str
    title: str
    keys: tuple[str, ...]
    shown: str


GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "Source",
        (
            Command("choose_recording", "Open a recording …", ("Ctrl+O", "O"), "O"),
            Command("open_simulated", "Simulated camera", ("Ctrl+R", "R"), "R"),
            Command("close_source", "Close the source", ("Ctrl+W",), "Ctrl W"),
        ),
    ),
    (
        "Decision",
        (
            Command("lower_threshold", "Lower the threshold", ("[",), "["),
            Command("raise_threshold", "Raise the threshold", ("]",), "]"),
            Command("lower_smoothing", "Smooth less", ("{", "Shift+["), "{"),
            Command("raise_smoothing", "Smooth more", ("}", "Shift+]"), "}"),
        ),
    ),
    (
        "View",
        (
            Command("toggle_features", "Feature maps", ("F",), "F"),
            Command("next_fade", "Next accumulation time", ("D",), "D"),
            Command("next_palette", "Next palette", ("P",), "P"),
            Command("toggle_mirror", "Mirror the picture", ("M",), "M"),
            Command("toggle_full_screen", "Full screen", ("F11",), "F11"),
        ),
    ),
    (
        "Recording",
        (
            Command("toggle_play", "Play or pause", ("Space", "K"), "Space"),
            Command("step_once", "One step", (".",), "."),
            Command("seek_back", "Back 1 s", ("Left",), "←"),
            Command("seek_on", "On 1 s", ("Right",), "→"),
            Command("seek_start", "To the start", ("Home",), "Home"),
            Command("toggle_loop", "Loop", ("L",), "L"),
            Command("faster", "Faster", ("+", "="), "+"),
            Command("slower", "Slower", ("-",), "−"),
        ),
    ),
    (
        "Program",
        (
            Command("open_menu", "Menu", ("F10",), "F10"),
            Command("toggle_help", "Keys", ("F1", "?"), "? or F1"),
            Command("dismiss", "Dismiss, leave full screen", ("Esc",), "Esc"),
            Command("close", "Quit", ("Ctrl+Q", "Q"), "Q"),
        ),
    ),
)
