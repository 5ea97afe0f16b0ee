"""Small films for tests, made by FFmpeg's own program; and what its tools say of a film."""

import json
import shutil
import subprocess
import sys

import tiny_model

SKIPPED = 77  # ctest's SKIP_RETURN_CODE

SUBTITLES = "1\n00:00:00,500 --> 00:00:01,000\nhello\n\n2\n00:00:01,200 --> 00:00:02,000\nworld\n"
CHAPTERS = (";FFMETADATA1\ntitle=A film; made up\nartist=Nobody\nunusual=kept too\n"
            "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
            "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2500\ntitle=Two\n")


def need_ffmpeg():
    if not shutil.which("ffmpeg") or not shutil.which("ffprobe"):
        print("skip: ffmpeg and ffprobe, the other opinion, are not installed")
        sys.exit(SKIPPED)


def ffmpeg(place, *arguments):
    """Runs in the workplace's folder; returns stdout."""
    words = ["ffmpeg", "-v", "error", "-y", "-nostdin", *map(str, arguments)]
    done = subprocess.run(words, cwd=place.folder, capture_output=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def test_picture(seconds, rate=24, size="64x48"):
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}"]


def tone(hertz, seconds):
    return ["-f", "lavfi", "-i", f"sine={hertz}:d={seconds}"]


X264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "8"]


def plain(place, name="plain.mp4", seconds=2.5, *more):
    """24 frames a second with a sound."""
    ffmpeg(place, *test_picture(seconds), *tone(440, seconds), *X264, "-pix_fmt", "yuv420p", *more, "-c:a", "aac", "-shortest",
           name)


def rich(place, name="rich.mkv"):
    """Variable frame rate, a late start, 10 bit, colour tags, pixels that are no squares, two sounds, subtitles, chapters, an
    attachment, tags."""
    place.write("subtitles.srt", SUBTITLES)
    place.write("chapters.txt", CHAPTERS)
    place.write("letters.ttf", "not really a font")
    ffmpeg(place, *test_picture(2.5), *tone(440, 2.5), *tone(880, 2.5), "-i", "subtitles.srt", "-i", "chapters.txt",
           "-map", 0, "-map", 1, "-map", 2, "-map", 3, "-map_metadata", 4, "-map_chapters", 4,
           "-attach", "letters.ttf", "-metadata:s:t", "mimetype=application/x-truetype-font",
           "-vf", "setsar=4/3,select='not(mod(n,3))+not(mod(n,5))'", "-fps_mode", "vfr", *X264, "-pix_fmt", "yuv420p10le",
           "-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-color_range", "tv",
           "-c:a:0", "aac", "-c:a:1", "flac", "-c:s", "srt", "-metadata:s:a:0", "language=deu",
           "-metadata:s:a:1", "title=Second", "-disposition:a:1", "comment", "-output_ts_offset", "1.5", name)


def changes_nothing(scale=1, order=(0, 1, 2)):
    """A network that enlarges by repeating pixels, with the colours in another order."""
    outs = 3 * scale * scale
    values = [0.0] * (outs * 3 * 9)
    for copy in range(scale * scale):
        for to, source in enumerate(order):
            values[((copy * 3 + to) * 3 + source) * 9 + 4] = 1.0
    constants = [tiny_model.tensor("c.w", [outs, 3, 3, 3], values), tiny_model.tensor("c.b", [outs], [0.0] * outs)]
    nodes = [tiny_model.conv("c", "in", "y")]
    nodes.append(tiny_model.node("DepthToSpace", ["y"], "out",
                                 [tiny_model.int_attribute("blocksize", scale), tiny_model.text_attribute("mode", "DCR")],
                                 "shuffle"))
    if scale == 1:
        nodes = [tiny_model.conv("c", "in", "out")]
    return tiny_model.model(nodes, constants, metadata=tiny_model.conventions(scale))


def probe(place, name, *sections):
    words = ["ffprobe", "-v", "error", "-of", "json", *sections, name]
    return json.loads(subprocess.run(words, cwd=place.folder, capture_output=True, check=True, timeout=60).stdout)


def streams(place, name, kind=None):
    found = probe(place, name, "-show_streams")["streams"]
    return [s for s in found if kind is None or s["codec_type"] == kind]


def times(place, name):
    """Seconds of each frame of the picture, as text, in the order of presentation."""
    frames = probe(place, name, "-select_streams", "v:0", "-show_entries", "frame=pts_time")["frames"]
    return [frame["pts_time"] for frame in frames if "pts_time" in frame]


def packets(place, name, selector):
    """Every packet but for where in the file it lies."""
    found = probe(place, name, "-select_streams", selector, "-show_packets", "-show_data_hash", "sha256")["packets"]
    return [{k: v for k, v in packet.items() if k not in ("pos", "stream_index")} for packet in found]


def frame_sums(place, name):
    """A sum over each decoded frame of the picture."""
    text = ffmpeg(place, "-i", name, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-").decode()
    return [line.split(",")[-1].strip() for line in text.splitlines() if not line.startswith("#")]


def raw(place, name, pixels, filters=""):
    """All decoded frames' bytes."""
    return ffmpeg(place, "-i", name, "-map", "0:v:0", *(["-vf", filters] if filters else []), "-fps_mode", "passthrough",
                  "-pix_fmt", pixels, "-f", "rawvideo", "-")


def add_bad_films(place):
    """Everything that tests/bad/film.test names."""
    plain(place)
    rich(place)
    good = (place.folder / "plain.mp4").read_bytes()
    place.write("text.mp4", "this is a sentence and not a film\n" * 40)
    place.write("empty.mp4", b"")
    place.write("truncated.mp4", good[:len(good) // 2])
    ffmpeg(place, "-i", "plain.mp4", "-c", "copy", "-movflags", "faststart", "front.mp4")
    front = (place.folder / "front.mp4").read_bytes()
    place.write("truncated_front.mp4", front[:len(front) * 2 // 3])
    whole = (place.folder / "rich.mkv").read_bytes()
    place.write("truncated.mkv", whole[:len(whole) // 2])
    noise = bytearray(front)
    at = front.index(b"mdat") + 12000
    noise[at:at + 2048] = bytes(range(256)) * 8
    place.write("damaged.mp4", bytes(noise))
    ffmpeg(place, *tone(440, 1), "-c:a", "aac", "sound.mp4")
    place.write("no_frames.mp4", b"YUV4MPEG2 W64 H48 F25:1 Ip A1:1 C420jpeg\n")
    ffmpeg(place, *test_picture(0.2, size="640x480"), *X264, "-pix_fmt", "yuv420p", "vga.mp4")
    place.write("absurd.mp4", b"YUV4MPEG2 W60000 H60000 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(4096))
    place.write("wide.mp4", b"YUV4MPEG2 W90000 H2 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(4096))
    place.write("no_size.mp4", b"YUV4MPEG2 W0 H0 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(4096))
    place.write("playlist.mp4", "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nplain.mp4\n#EXT-X-ENDLIST\n")
    place.write("concat.mp4", "ffconcat version 1.0\nfile plain.mp4\n")
