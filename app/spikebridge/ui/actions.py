"""The commands by group, with their keys; the menu and the help overlay are both made from this list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spikebridge.ui.commands import Commands


@dataclass(frozen=True, slots=True)
class Command:
    """act : what it does. keys : Qt key sequences. shown : keys as people read them."""

    act: Callable[[Commands], None]
    title: str
    keys: tuple[str, ...]
    shown: str

    @property
    def name(self) -> str:
        return self.act.__name__


GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "Source",
        (
            Command(Commands.choose_recording, "Open a recording …", ("Ctrl+O", "O"), "O"),
            Command(Commands.choose_camera, "Open a camera …", ("Ctrl+K", "C"), "C"),
            Command(Commands.open_simulated, "Open the simulated camera", ("Ctrl+R", "R"), "R"),
            Command(Commands.close_source, "Close the source", ("Ctrl+W",), "Ctrl W"),
        ),
    ),
    (
        "Networks side by side",
        (
            Command(Commands.choose_first, "Choose the first network", ("1",), "1"),
            Command(Commands.choose_second, "Choose the second network", ("2",), "2"),
            Command(Commands.choose_third, "Choose the third network", ("3",), "3"),
            Command(Commands.choose_next, "Choose the next network", ("N",), "N"),
        ),
    ),
    (
        "Decision of the chosen network",
        (
            Command(Commands.lower_threshold, "Lower the threshold", ("[",), "["),
            Command(Commands.raise_threshold, "Raise the threshold", ("]",), "]"),
            Command(Commands.lower_smoothing, "Smooth less", ("{",), "{"),
            Command(Commands.raise_smoothing, "Smooth more", ("}",), "}"),
        ),
    ),
    (
        "View",
        (
            Command(Commands.toggle_features, "Show or hide the feature maps", ("F",), "F"),
            Command(Commands.next_fade, "Change how long an event is seen", ("D",), "D"),
            Command(Commands.next_palette, "Change the colours of the events", ("P",), "P"),
            Command(Commands.toggle_frames, "Show or hide the camera's frames", ("B",), "B"),
            Command(Commands.toggle_mirror, "Mirror the events", ("M",), "M"),
            Command(Commands.toggle_full_screen, "Full screen", ("F11",), "F11"),
        ),
    ),
    (
        "Recording what comes",
        (
            Command(Commands.toggle_recording, "Start or end a recording", ("Ctrl+S", "S"), "S"),
            Command(Commands.next_label, "Choose the gesture to mark", ("G",), "G"),
            Command(Commands.toggle_mark, "Begin or end its mark", ("T",), "T"),
        ),
    ),
    (
        "Playing a recording",
        (
            Command(Commands.toggle_play, "Play or pause", ("Space", "K"), "Space"),
            Command(Commands.step_once, "One step", (".",), "."),
            Command(Commands.seek_back, "Back 1 s", ("Left",), "←"),
            Command(Commands.seek_on, "Forward 1 s", ("Right",), "→"),
            Command(Commands.seek_start, "Back to the start", ("Home",), "Home"),
            Command(Commands.toggle_loop, "Start again at the end", ("L",), "L"),
            Command(Commands.faster, "Faster", ("+", "="), "+"),
            Command(Commands.slower, "Slower", ("-",), "−"),
        ),
    ),
    (
        "Program",
        (
            Command(Commands.open_menu, "Menu", ("F10",), "F10"),
            Command(Commands.toggle_help, "Show the keys", ("F1", "?", "H"), "H, ? or F1"),
            Command(Commands.dismiss, "Dismiss a message, leave full screen", ("Esc",), "Esc"),
            Command(Commands.quit, "Quit", ("Ctrl+Q", "Q"), "Q"),
        ),
    ),
)
