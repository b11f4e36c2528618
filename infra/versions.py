"""The versions of the media libraries that came with the installation."""

from __future__ import annotations


def media_versions() -> str:
    """The carried ffmpeg and PyAV with its libraries, in words."""
    import av
    import imageio_ffmpeg

    libraries = ", ".join(
        f"{name} {'.'.join(map(str, number))}"
        for name, number in sorted(av.library_versions.items())
        if name != "libavdevice"
    )
    return f"ffmpeg {imageio_ffmpeg.get_ffmpeg_version()} (carried); PyAV {av.__version__} ({libraries})"
