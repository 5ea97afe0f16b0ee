"""Films through `fye up`, checked by FFmpeg's own tools, which we did not write.

usage: film_cli_test.py [Class[.test]...]
"""

import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
import unittest

import film_clips
import tiny_model
import tiny_plan
from workplace import Workplace

FOREVER = "1e12"  # milliseconds


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        film_clips.need_ffmpeg()
        cls.place = Workplace()
        cls.place.write("tiny.onnx", tiny_model.upscaler(2))
        cls.place.write("same.onnx", film_clips.changes_nothing())
        cls.place.write("double.onnx", film_clips.changes_nothing(scale=2))
        cls.place.write("swapped.onnx", film_clips.changes_nothing(order=(2, 1, 0)))

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def up(self, source, target, *arguments, model="tiny.onnx", **options):
        done = self.place.must("up", source, "-o", target, "-m", model, "--json", *arguments, **options)
        self.assertEqual([name for name in self.place.names() if ".fye-" in name], [])
        return json.loads(done.stdout)

    def fails(self, code, says, *arguments, **options):
        before = self.place.names()
        done = self.place.run("up", *arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertRegex(done.stderr, says)
        self.assertEqual(self.place.names() - before, set())


class Streams(Case):
    """Nothing is lost but the old picture."""

    def check(self, source, target, *arguments, others):
        report = self.up(source, target, *arguments)
        for selector in others:
            with self.subTest(stream=selector):
                self.assertGreater(len(film_clips.packets(self.place, source, selector)), 0)
                self.assertEqual(film_clips.packets(self.place, source, selector),
                                 film_clips.packets(self.place, target, selector))
        self.assertEqual(film_clips.times(self.place, source), film_clips.times(self.place, target))
        return report

    def test_matroska(self):
        film_clips.rich(self.place)
        report = self.check("rich.mkv", "big.mkv", others=["a:0", "a:1", "s:0"])
        self.assertEqual((report["width"], report["height"], report["bits"]), (128, 96, 16))
        self.assertEqual(report["frames"], len(film_clips.times(self.place, "rich.mkv")))
        self.assertEqual([s["fate"] for s in report["streams"]], ["enlarged"] + ["copied"] * 4)
        before, after = (film_clips.probe(self.place, name, "-show_chapters", "-show_format")
                         for name in ("rich.mkv", "big.mkv"))
        self.assertEqual(before["chapters"], after["chapters"])
        self.assertEqual(len(before["chapters"]), 2)
        tags = lambda found: {k.lower(): v for k, v in found["format"]["tags"].items() if k.lower() != "encoder"}
        self.assertEqual(tags(before), tags(after))
        self.assertEqual(tags(after)["unusual"], "kept too")
        self.assertEqual(before["format"]["start_time"], after["format"]["start_time"])
        for name in ("rich", "big"):
            subprocess.run(["ffmpeg", "-v", "quiet", "-y", "-dump_attachment:t", f"{name}.ttf", "-i", f"{name}.mkv"],
                           cwd=self.place.folder, timeout=60)
        self.assertEqual((self.place.folder / "big.ttf").read_bytes(), b"not really a font")
        for old, new in zip(film_clips.streams(self.place, "rich.mkv"), film_clips.streams(self.place, "big.mkv"), strict=True):
            own = lambda s: {k: v for k, v in s.get("tags", {}).items() if k not in ("DURATION", "ENCODER")}
            self.assertEqual(own(old), own(new))
            self.assertEqual(old["disposition"], new["disposition"])

    def test_tags_of_the_picture(self):
        film_clips.rich(self.place)
        self.up("rich.mkv", "big.mkv")
        old, new = (film_clips.streams(self.place, name, "video")[0] for name in ("rich.mkv", "big.mkv"))
        for tag in ("color_range", "color_space", "color_transfer", "color_primaries", "sample_aspect_ratio",
                    "display_aspect_ratio", "pix_fmt", "time_base", "start_time", "avg_frame_rate"):
            self.assertEqual(old[tag], new[tag], tag)
        self.assertEqual(new["color_transfer"], "smpte2084")
        self.assertEqual(new["sample_aspect_ratio"], "4:3")
        self.assertEqual(new["pix_fmt"], "yuv420p10le")

    def test_mp4(self):
        film_clips.plain(self.place, "plain.mp4", 2.5, "-metadata", "title=A title", "-metadata", "unusual=kept too",
                         "-movflags", "use_metadata_tags")
        self.check("plain.mp4", "big.mp4", others=["a:0"])
        before, after = (film_clips.probe(self.place, name, "-show_format", "-show_streams") for name in ("plain.mp4", "big.mp4"))
        for tag in ("title", "unusual"):
            self.assertEqual(before["format"]["tags"][tag], after["format"]["tags"][tag])
        for tag in ("time_base", "start_pts", "duration_ts", "nb_frames", "avg_frame_rate"):
            self.assertEqual(before["streams"][0][tag], after["streams"][0][tag], tag)

    def test_a_late_start_in_mp4(self):
        film_clips.plain(self.place)
        film_clips.ffmpeg(self.place, "-i", "plain.mp4", "-itsoffset", "0.75", "-i", "plain.mp4", "-map", "1:v", "-map", "0:a",
                          "-c", "copy", "late.mp4")
        self.check("late.mp4", "big.mp4", others=["a:0"])
        self.assertAlmostEqual(float(film_clips.times(self.place, "big.mp4")[0]), 0.75, places=3)

    def test_chapters_subtitles_and_a_rotation_in_mp4(self):
        film_clips.rich(self.place)
        film_clips.ffmpeg(self.place, "-i", "rich.mkv", "-map", "0:v", "-map", "0:a:0", "-map", "0:s", "-c:v", "copy", "-c:a", "copy",
                          "-c:s", "mov_text", "-metadata:s:v", "rotate=90", "chapters.mp4")
        report = self.check("chapters.mp4", "big.mp4", others=["a:0", "s:0"])
        self.assertEqual([s["fate"] for s in report["streams"]], ["enlarged", "copied", "copied", "made anew"])
        before, after = (film_clips.probe(self.place, name, "-show_chapters", "-show_streams") for name in ("chapters.mp4", "big.mp4"))
        self.assertEqual([(c["start_time"], c["end_time"], c["tags"]) for c in before["chapters"]],
                         [(c["start_time"], c["end_time"], c["tags"]) for c in after["chapters"]])
        self.assertEqual(before["streams"][0]["side_data_list"], after["streams"][0]["side_data_list"])

    def test_a_cover_is_copied(self):
        film_clips.plain(self.place)
        film_clips.ffmpeg(self.place, *film_clips.test_picture(0.1, size="32x32"), "-frames:v", "1", "cover.png")
        film_clips.ffmpeg(self.place, "-i", "plain.mp4", "-i", "cover.png", "-map", "1", "-map", "0", "-c", "copy",
                          "-disposition:v:0", "attached_pic", "covered.mp4")
        report = self.up("covered.mp4", "big.mp4")
        self.assertEqual([s["fate"] for s in report["streams"]].count("copied"), 2)
        for name in ("covered.mp4", "big.mp4"):
            covers = [s for s in film_clips.streams(self.place, name, "video") if s["disposition"]["attached_pic"]]
            self.assertEqual(len(covers), 1)
            index = covers[0]["index"]
            data = film_clips.ffmpeg(self.place, "-i", name, "-map", f"0:{index}", "-c", "copy", "-f", "image2pipe", "-")
            self.assertEqual(data, (self.place.folder / "cover.png").read_bytes())

    def test_another_container(self):
        """Matroska has no times below 0, where the sound of MP4 begins: everything moves together, but for its coarser clock."""
        film_clips.plain(self.place)
        self.up("plain.mp4", "big.mkv")
        moved = []
        for selector in ("v:0", "a:0"):
            old, new = ([float(p["pts_time"]) for p in film_clips.packets(self.place, name, selector)] for name in ("plain.mp4", "big.mkv"))
            moved += [q - p for p, q in zip(sorted(old), sorted(new), strict=True)]
        self.assertLessEqual(max(moved) - min(moved), 0.00101)

    def test_left_out(self):
        film_clips.rich(self.place)
        report = self.up("rich.mkv", "big.mp4", "--leave-out", "2,3,4", "--encoder", "libx264")
        self.assertEqual([s["fate"] for s in report["streams"]], ["enlarged", "copied"] + ["left out"] * 3)
        self.assertEqual(len(film_clips.streams(self.place, "big.mp4", "audio")), 1)

    def test_closed_captions_in_the_picture(self):
        """SMPTE captions are SEI messages of H.264: written with FFmpeg's own encoder, found by its decoder."""
        film_clips.ffmpeg(self.place, *film_clips.test_picture(0.5), *film_clips.X264, "-bf", "0", "-pix_fmt", "yuv420p", "bare.h264")
        data = (self.place.folder / "bare.h264").read_bytes()
        triple = bytes([0xFC, 0x94, 0x20])
        payload = b"\xb5\x00\x31GA94\x03\x41\xff" + triple + b"\xff"
        message = b"\x00\x00\x00\x01\x06\x04" + bytes([len(payload)]) + payload + b"\x80"
        at = data.index(b"\x00\x00\x01\x65")  # the first whole picture
        self.place.write("captions.h264", data[:at] + message + data[at:])
        film_clips.ffmpeg(self.place, "-i", "captions.h264", "-c", "copy", "-bsf:v", "setts=pts=N*50000:dts=N*50000", "captions.mp4")
        kinds = lambda name: [data["side_data_type"] for frame in film_clips.probe(self.place, name, "-show_frames")["frames"]
                              for data in frame.get("side_data_list", []) if "Captions" in data["side_data_type"]]
        self.assertEqual(len(kinds("captions.mp4")), 1)
        self.up("captions.mp4", "big.mp4", "--encoder", "libx264")
        self.assertEqual(kinds("big.mp4"), kinds("captions.mp4"))


class Pictures(Case):
    def difference(self, a, b, bits=8):
        """Mean and largest, in levels."""
        kind = "B" if bits == 8 else "H"
        first, second = (struct.unpack(f"<{len(x) // (bits // 8)}{kind}", x) for x in (a, b))
        self.assertEqual(len(first), len(second))
        apart = [abs(p - q) for p, q in zip(first, second)]
        return sum(apart) / len(apart), max(apart)

    def smooth(self, name, pixels, *tags, size="64x48"):
        """Colours that all matrices can hold, without hard edges in chroma."""
        film_clips.ffmpeg(self.place, "-f", "lavfi", "-i", f"gradients=s={size}:r=24:d=0.25:c0=0x806040:c1=0x4080a0:nb_colors=2:seed=1",
                          "-pix_fmt", pixels, "-c:v", "ffv1", *tags, name)

    def test_there_and_back(self):
        """A network that changes nothing: what the two conversions of colour cost."""
        for pixels, bits, mean, most in (("yuv444p", 8, 0.5, 2), ("yuv420p", 8, 0.6, 3), ("yuv422p", 8, 0.6, 3),
                                         ("yuv420p10le", 16, 0.6, 4), ("yuv444p12le", 16, 1.2, 6), ("gray", 8, 0.1, 1),
                                         ("bgr0", 8, 0, 0), ("yuva420p", 8, 0.6, 3)):
            with self.subTest(pixels=pixels):
                self.smooth("smooth.mkv", pixels)
                report = self.up("smooth.mkv", "same.mkv", "--encoder", "ffv1", model="same.onnx")
                self.assertEqual(report["pixels"], pixels)
                self.assertEqual(report["bits"], bits)
                got = self.difference(film_clips.raw(self.place, "smooth.mkv", pixels),
                                      film_clips.raw(self.place, "same.mkv", pixels), bits)
                self.assertLessEqual(got[0], mean)
                self.assertLessEqual(got[1], most)

    def test_matrices_and_ranges(self):
        """A network that swaps red and blue sees the colours that zimg, another library, sees."""
        for tags in (("-colorspace", "bt709", "-color_range", "tv"), ("-colorspace", "smpte170m", "-color_range", "tv"),
                     ("-colorspace", "bt709", "-color_range", "pc"), ("-colorspace", "bt2020nc", "-color_range", "tv")):
            with self.subTest(tags=tags):
                self.smooth("smooth.mkv", "yuv444p", *tags)
                self.up("smooth.mkv", "swapped.mkv", "--encoder", "ffv1", model="swapped.onnx")
                rgb = lambda name: film_clips.raw(self.place, name, "gbrp", "zscale=matrix=gbr:range=full,format=gbrp")
                before, after = rgb("smooth.mkv"), rgb("swapped.mkv")
                plane = 64 * 48
                swapped = b"".join(before[f:f + plane] + before[f + 2 * plane:f + 3 * plane] + before[f + plane:f + 2 * plane]
                                   for f in range(0, len(before), 3 * plane))
                mean, most = self.difference(after, swapped)
                self.assertLess(mean, 1.2)
                self.assertLessEqual(most, 5)
                self.assertGreater(self.difference(after, before)[0], 10)

    def test_chroma_stays_where_it_is(self):
        """Enlarging by repeated pixels and shrinking by their mean gives the film again."""
        self.smooth("smooth.mkv", "yuv420p")
        self.up("smooth.mkv", "double.mkv", "--encoder", "ffv1", model="double.onnx")
        small = film_clips.raw(self.place, "double.mkv", "yuv444p",
                               "zscale=chromal=left:chromalin=left,format=yuv444p,scale=64:48:flags=area")
        mean, _ = self.difference(film_clips.raw(self.place, "smooth.mkv", "yuv444p", "zscale=chromalin=left,format=yuv444p"), small)
        self.assertLess(mean, 1.5)

    def test_an_untagged_film_grows_past_720_lines(self):
        film_clips.ffmpeg(self.place, *film_clips.test_picture(0.1, size="96x400"), *film_clips.X264, "-pix_fmt", "yuv420p",
                          "untagged.mp4")
        done = self.place.must("up", "untagged.mp4", "-o", "big.mp4", "-m", "tiny.onnx")
        self.assertIn("does not say its colour matrix", done.stderr)
        self.assertEqual(film_clips.streams(self.place, "big.mp4")[0]["color_space"], "smpte170m")

    def test_odd_sizes(self):
        self.smooth("odd.mkv", "yuv420p", size="35x27")
        self.assertEqual(self.up("odd.mkv", "big.mkv", model="same.onnx")["pixels"], "yuv444p")
        picture = film_clips.streams(self.place, "big.mkv")[0]
        self.assertEqual((picture["width"], picture["height"]), (35, 27))

    def test_encoders(self):
        """The same frames in number and time, and near one another, whoever encodes."""
        film_clips.plain(self.place, "short.mp4", 0.5)
        sums = {}
        for encoder, name in (("libx264", "a.mp4"), ("libx265", "b.mp4"), ("libsvtav1", "c.mkv"), ("libvpx-vp9", "d.mkv"),
                              ("ffv1", "e.mkv"), ("mpeg4", "f.mkv"), ("libaom-av1", "g.mkv")):
            with self.subTest(encoder=encoder):
                if encoder not in subprocess.run(["ffmpeg", "-v", "quiet", "-encoders"], capture_output=True, text=True).stdout:
                    self.skipTest(f"this FFmpeg has no {encoder}")
                self.assertEqual(self.up("short.mp4", name, "--encoder", encoder, model="double.onnx")["encoder"], encoder)
                self.assertEqual(len(film_clips.times(self.place, name)), 12)
                sums[encoder] = film_clips.raw(self.place, name, "yuv420p")
                self.assertLess(self.difference(sums[encoder], sums["libx264"])[0], 8)
        self.assertEqual(film_clips.streams(self.place, "b.mp4")[0]["codec_tag_string"], "hvc1")

    def test_options_of_the_encoder(self):
        film_clips.plain(self.place, "short.mp4", 0.5)
        size = lambda *options: (self.up("short.mp4", "big.mp4", *options), (self.place.folder / "big.mp4").stat().st_size)[1]
        usual = size()
        self.assertLess(size("--crf", "40"), usual)
        self.assertGreater(size("--crf", "2"), usual)
        self.assertEqual(film_clips.streams(self.place, "big.mp4")[0]["has_b_frames"], 2)
        size("--preset", "ultrafast")
        self.assertEqual(film_clips.streams(self.place, "big.mp4")[0]["has_b_frames"], 0)
        size("--encoder-option", "bf=1", "--encoder-option", "g=5")
        self.assertEqual(film_clips.streams(self.place, "big.mp4")[0]["has_b_frames"], 1)


class Deadlines(Case):
    def setUp(self):
        film_clips.plain(self.place)
        model = tiny_model.upscaler(2)
        self.place.write("book.json", tiny_plan.book(model))
        self.place.write("hopeless.json", tiny_plan.book(model, times=(1e-6, 2e-6, 3e-6, 4e-6)))
        if not (self.place.folder / "tiny.calib.json").exists():
            film_clips.ffmpeg(self.place, "-i", "plain.mp4", "-frames:v", "1", "frame.png")
            self.place.write("tiny.calib.json", self.calibration())

    def calibration(self):
        self.place.must("calibrate", "tiny.onnx", "frame.png", "-o", "made.calib.json")
        return (self.place.folder / "made.calib.json").read_bytes()

    def test_in_time(self):
        report = self.up("plain.mp4", "timed.mp4", "--deadline", FOREVER, "--book", "book.json")
        self.assertEqual(report["deadline"]["late"], 0)
        self.assertEqual(report["deadline"]["met"], 60)
        self.assertLessEqual(report["p50_ms"], report["p99_ms"])
        self.up("plain.mp4", "float.mp4", "--numbers", "f32")
        self.assertEqual(film_clips.frame_sums(self.place, "timed.mp4"), film_clips.frame_sums(self.place, "float.mp4"))

    def test_late(self):
        done = self.place.run("up", "plain.mp4", "-o", "late.mp4", "-m", "tiny.onnx", "--deadline", "0.00001", "--book",
                              "hopeless.json", "--json")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("60 of 60 frames took longer", done.stderr)
        self.assertEqual(json.loads(done.stdout)["deadline"]["late"], 60)
        self.assertEqual(len(film_clips.times(self.place, "late.mp4")), 60)

    def test_impossible(self):
        self.fails(4, "no plan meets", "plain.mp4", "-o", "x.mp4", "-m", "tiny.onnx", "--deadline", "1", "--book", "book.json")


class Helper(Case):
    """fye-av is another process: whatever happens to it is one film's failure."""

    def setUp(self):
        if not (self.place.folder / "plain.mp4").exists():
            film_clips.plain(self.place)

    def stand_in(self, name, body):
        path = self.place.write(name, "#!/bin/sh\n" + body)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return {"FYE_AV": str(path)}

    def test_missing(self):
        self.fails(5, "FYE_AV: /nowhere/fye-av is no program\n.*build the target fye-av", "plain.mp4", "-o", "x.mp4", "-m", "tiny.onnx",
                   environment={"FYE_AV": "/nowhere/fye-av"})

    def test_that_crashes(self):
        self.fails(2, "the film helper .fye-av, probe. crashed: Segmentation fault", "plain.mp4", "-o", "x.mp4", "-m", "tiny.onnx",
                   environment=self.stand_in("crash.sh", "kill -SEGV $$\n"))

    def test_that_says_nothing(self):
        self.fails(6, "ended with 3 and said nothing", "plain.mp4", "-o", "x.mp4", "-m", "tiny.onnx",
                   environment=self.stand_in("silent.sh", "exit 3\n"))

    def talk(self, job, files=()):
        """One job for a fye-av of our own; its messages as (type, JSON)."""
        helper = os.environ.get("FYE_AV") or str(self.place.fye.parent / "fye-av")
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Descriptor 3 is where the helper looks for its end.
        process = subprocess.Popen(["/bin/sh", "-c", f'exec 3<&{its.fileno()}; exec "$0"', helper], pass_fds=[its.fileno()])
        its.close()
        head = struct.Struct("<IiqqqII")
        text = json.dumps(job).encode()
        ours.sendall(head.pack(1, -1, 0, 0, 0, len(text), 0) + text)
        said = []
        while True:
            try:
                data = ours.recv(1 << 16)
            except ConnectionError:
                break
            if not data:
                break
            said.append((head.unpack(data[:head.size])[0], json.loads(data[head.size:])))
        ours.close()
        process.wait(timeout=30)
        return said

    def test_sandbox(self):
        if os.environ.get("FYE_BUILD") == "sanitize":
            self.skipTest("sanitizers need files, so a build with them is not locked in")
        secret = self.place.write("secret.txt", "a secret")
        said = self.talk({"job": "escape", "file": str(secret)})
        self.assertEqual([kind for kind, _ in said], [2, 4])
        missing, tried = said[0][1]["missing"], said[1][1]
        if any(word.startswith("seccomp") for word in missing):
            self.skipTest(f"this kernel has no {missing}")
        self.assertEqual({what for what, could in tried.items() if could}, set())
        self.assertEqual(secret.read_text(), "a secret")

    def test_nonsense_for_a_job(self):
        for job in ({}, {"job": "dance"}, [1], {"job": "decode"}, {"job": "mux", "plan": {}}, {"job": "encode", "plan": 3}):
            with self.subTest(job=job):
                said = self.talk(job)
                self.assertEqual(said[-1][0], 3)  # failed
                self.assertIn(said[-1][1]["code"], (2, 6))

    def test_by_hand(self):
        done = subprocess.run([os.environ.get("FYE_AV") or str(self.place.fye.parent / "fye-av")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not called by hand", done.stderr)

    def test_full_disk(self):
        small = self.place.folder / "small"
        small.mkdir(exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(small)], capture_output=True).returncode != 0:
            self.skipTest("no small disk can be mounted here")
        try:
            done = self.place.run("up", "plain.mp4", "-o", "small/big.mp4", "-m", "tiny.onnx", "--crf", "1")
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertIn("No space left", done.stderr)
            self.assertIn("free some disk space", done.stderr)
            self.assertFalse((small / "big.mp4").exists())
        finally:
            subprocess.run(["umount", str(small)], check=True)


if __name__ == "__main__":
    unittest.main()
