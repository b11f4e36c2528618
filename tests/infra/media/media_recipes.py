"""Small real media, made by ffmpeg once a session: each name in `RECIPES` is one awkward kind of file."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg

Make = Callable[[str], Path]

SIZE, RATE, LENGTH_S = "320x180", 25, 4
_PICTURE = ["-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate={RATE}:duration={LENGTH_S}"]
_TONE = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={LENGTH_S}"]
_X264 = ["-c:v", "libx264", "-preset", "veryfast", "-threads", "2", "-pix_fmt", "yuv420p"]
_X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-threads", "2", "-pix_fmt", "yuv420p"]
_GOP = "keyint=20:min-keyint=20:scenecut=0"

RECIPES: dict[str, list[str]] = {
    "h264_b.mp4": [*_PICTURE, *_TONE, *_X264, "-x264-params", f"{_GOP}:bframes=3", "-c:a", "aac"],
    "h264_no_b.mp4": [*_PICTURE, *_X264, "-x264-params", f"{_GOP}:bframes=0"],
    "h264_b.mkv": [*_PICTURE, *_TONE, *_X264, "-x264-params", f"{_GOP}:bframes=3", "-c:a", "aac"],
    "h264_b.mov": [*_PICTURE, *_TONE, *_X264, "-x264-params", f"{_GOP}:bframes=2", "-c:a", "pcm_s16le"],
    "h264_b.ts": [*_PICTURE, *_TONE, *_X264, "-x264-params", f"{_GOP}:bframes=3", "-c:a", "aac"],
    "h264_b.avi": [*_PICTURE, *_TONE, *_X264, "-x264-params", f"{_GOP}:bframes=2", "-c:a", "mp3"],
    "h264_open.mp4": [*_PICTURE, *_X264, "-x264-params",
                                "keyint=20:min-keyint=1:scenecut=0:open-gop=1:bframes=3"],
    "h264_10bit.mkv": [*_PICTURE, *_X264, "-x264-params", f"{_GOP}:bframes=2",
                                 "-pix_fmt", "yuv420p10le"],
    "h264_422.mp4": [*_PICTURE, *_X264, "-x264-params", f"{_GOP}:bframes=2", "-pix_fmt", "yuv422p"],
    "h264_full_range.mp4": [*_PICTURE, *_X264, "-vf", "scale=out_range=full,format=yuvj420p",
                                      "-x264-params", _GOP, "-color_range", "pc", "-colorspace", "bt470bg"],
    "h264_vfr.mp4": [*_PICTURE, "-vf", "select='not(mod(n\\,7)*not(mod(n\\,5)))'", "-fps_mode", "passthrough",
                               *_X264, "-x264-params", f"{_GOP}:bframes=3"],
    "h264_sar.mp4": [*_PICTURE, "-vf", "setsar=4/3", *_X264, "-x264-params", _GOP],
    "h264_ntsc.mp4": ["-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate=24000/1001:duration={LENGTH_S}",
                                *_X264, "-x264-params", f"{_GOP}:bframes=3"],
    "h264_interlaced.mp4": [*_PICTURE, "-vf", "setfield=tff", *_X264, "-flags", "+ilme+ildct",
                                      "-x264-params", f"{_GOP}:tff=1"],
    "h264_444_odd.mp4": ["-f", "lavfi", "-i", f"testsrc2=size=160x90:rate={RATE}:duration=1", "-vf",
                         "format=yuv444p,scale=161:91", *_X264, "-pix_fmt", "yuv444p",
                         "-x264-params", "keyint=10:min-keyint=10"],
    "hevc.mp4": [*_PICTURE, *_TONE, *_X265, "-x265-params",
                           f"{_GOP}:open-gop=0:bframes=3:log-level=error", "-c:a", "aac", "-tag:v", "hvc1"],
    "hevc_open.mkv": [*_PICTURE, *_X265, "-x265-params", f"{_GOP}:open-gop=1:bframes=3:log-level=error"],
    "hevc.ts": [*_PICTURE, *_X265, "-x265-params", f"{_GOP}:open-gop=0:bframes=3:log-level=error"],
    "vp9_odd.webm": ["-f", "lavfi", "-i", f"testsrc2=size=160x90:rate={RATE}:duration=1", "-vf",
                     "format=yuv444p,scale=161:91,format=yuv420p", "-c:v", "libvpx-vp9",
                      "-cpu-used", "8", "-deadline", "realtime", "-b:v", "500k"],
    "mpeg4.avi": [*_PICTURE, *_TONE, "-c:v", "mpeg4", "-q:v", "4", "-bf", "2", "-c:a", "mp3"],
    "mpeg1.mpg": [*_PICTURE, *_TONE, "-c:v", "mpeg1video", "-q:v", "4", "-bf", "2", "-c:a", "mp2"],
    "prores.mov": ["-f", "lavfi", "-i", f"testsrc2=size=160x90:rate={RATE}:duration=1", "-c:v", "prores_ks"],
    "two_tracks.mp4": [*_PICTURE, "-f", "lavfi", "-i", f"sine=frequency=440:duration={LENGTH_S}",
                                 "-f", "lavfi", "-i", f"sine=frequency=880:duration={LENGTH_S}",
                                 "-map", "0:v", "-map", "1:a", "-map", "2:a", *_X264, "-c:a", "aac",
                                 "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"],
    "surround.mkv": [*_PICTURE, *_TONE, *_X264, "-af", "pan=5.1|FC=c0", "-c:a", "ac3"],
    "late_sound.mkv": [*_PICTURE, "-itsoffset", "1.5", "-f", "lavfi", "-i",
                                 "sine=frequency=440:sample_rate=48000:duration=1", *_X264, "-c:a", "pcm_s16le"],
    "sound_only.m4a": [*_TONE, "-c:a", "aac"],
    "tone.wav": [*_TONE, "-af", "volume=-20dB"],
}  # fmt: skip


def ffmpeg(*arguments: str | Path) -> str:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout


def frame_hashes(path: Path) -> list[tuple[str, str]]:
    """(timestamp, MD5 of the decoded frame) for each frame of the picture, by ffmpeg as an independent decoder.

    Fails where the decoder complains of anything.
    """
    text = ffmpeg("-copyts", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "1/90000",
                  "-f", "framemd5", "-")  # fmt: skip
    lines = text.splitlines()
    complaints = [line for line in lines if line and not line.startswith("#") and line.count(",") != 5]
    assert complaints == []
    rows = [line.split(",") for line in lines if line and not line.startswith("#")]
    return [(row[2].strip(), row[5].strip()) for row in rows]
