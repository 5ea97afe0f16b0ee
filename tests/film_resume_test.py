"""Films that are killed, stopped, or lose their helper at random moments, and go on.

usage: film_resume_test.py [Class[.test]...]
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import time
import unittest

import film_clips
import tiny_model
from workplace import SECONDS, Workplace

KILLS = 6  # in CI; bench/films/kills.py takes 100
CLIP_SECONDS = 8


def children(pid):
    """Processes that `pid` has started."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            pass
    return found


class Resume(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        film_clips.need_ffmpeg()
        cls.place = Workplace()
        cls.place.write("tiny.onnx", tiny_model.upscaler(2))
        film_clips.plain(cls.place, "clip.mp4", CLIP_SECONDS)
        start = time.monotonic()
        cls.whole = cls.finish("whole.mp4")
        cls.seconds = time.monotonic() - start
        cls.sums = film_clips.frame_sums(cls.place, "whole.mp4")
        cls.bytes = (cls.place.folder / "whole.mp4").read_bytes()
        cls.random = random.Random(os.environ.get("FYE_SEED", "films"))

        # A helper that crashes has to look so under AddressSanitizer too, which else ends it with a report.
        cls.environment = os.environ | {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0"}

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    @classmethod
    def words(cls, target):
        return ["up", "clip.mp4", "-o", target, "-m", "tiny.onnx", "--json"]

    @classmethod
    def finish(cls, target, *arguments):
        return json.loads(cls.place.must(*cls.words(target), *arguments).stdout)

    def start(self, target, *arguments):
        return subprocess.Popen([str(self.place.fye), *self.words(target), *arguments], cwd=self.place.folder, env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def work_folders(self, target):
        return list(self.place.folder.glob(f"{target}.fye-*"))

    def finished_frames(self, target):
        return sum(int(segment.stem.split("-")[1]) for folder in self.work_folders(target) for segment in folder.glob("*.seg"))

    def wait_for_segments(self, process, target, count=1):
        while process.poll() is None and sum(len(list(f.glob("*.seg"))) for f in self.work_folders(target)) < count:
            time.sleep(0.002)

    def check_finish(self, target):
        """Goes on after what is finished, and ends as a run without a break does."""
        done = self.finished_frames(target)
        report = self.finish(target)
        self.assertEqual(report["resumed_frames"], done)
        self.assertEqual(report["frames"], 24 * CLIP_SECONDS)
        self.assertEqual(self.work_folders(target), [])
        self.assertEqual(film_clips.frame_sums(self.place, target), self.sums)
        self.assertEqual((self.place.folder / target).read_bytes(), self.bytes)
        return report

    def test_killed(self):
        for round in range(KILLS):
            target = f"killed{round}.mp4"
            with self.subTest(round=round):
                for _ in range(self.random.choice((1, 1, 2))):
                    process = self.start(target)
                    try:
                        process.wait(timeout=self.random.uniform(0, self.seconds))
                    except subprocess.TimeoutExpired:
                        process.kill()
                    process.communicate()
                    if (self.place.folder / target).exists():
                        break
                    for folder in self.work_folders(target):
                        for segment in folder.glob("*.seg"):
                            self.assertLessEqual(int(segment.stem.split("-")[1]), 2 * 24)
                if (self.place.folder / target).exists():  # it was faster
                    self.assertEqual((self.place.folder / target).read_bytes(), self.bytes)
                else:
                    self.check_finish(target)

    def test_killed_while_the_film_is_put_together(self):
        process = self.start("late.mp4")
        while process.poll() is None and not any(f.name == "film.mp4" for w in self.work_folders("late.mp4") for f in w.glob("*")):
            time.sleep(0.0005)
        process.kill()
        process.communicate()
        if not (self.place.folder / "late.mp4").exists():
            self.assertEqual(self.check_finish("late.mp4")["resumed_frames"], 24 * CLIP_SECONDS)

    def test_stopped(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            target = f"stopped{int(number)}.mp4"
            process = self.start(target)
            self.wait_for_segments(process, target)
            process.send_signal(number)
            _, said = process.communicate(timeout=SECONDS)
            if process.returncode == 0:
                continue  # it was faster
            self.assertEqual(process.returncode, 3, said)
            self.assertRegex(said, r"stopped; \d+ frames are done and kept in")
            self.assertIn("the same command goes on", said)
            self.assertFalse((self.place.folder / target).exists())
            self.assertEqual([f for w in self.work_folders(target) for f in w.glob("*.part")], [])
            self.assertGreater(self.check_finish(target)["resumed_frames"], 0)

    def test_stopped_before_anything_is_done(self):
        process = self.start("early.mp4")
        while process.poll() is None and not self.work_folders("early.mp4"):
            time.sleep(0.0005)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
        if process.returncode == 130:
            self.assertEqual(self.work_folders("early.mp4"), [])
            self.assertFalse((self.place.folder / "early.mp4").exists())
        else:
            self.assertIn(process.returncode, (0, 3), said)
            self.check_finish("early.mp4") if process.returncode else None

    def test_the_helper_crashes_on_the_way(self):
        for number, code in ((signal.SIGSEGV, 2), (signal.SIGKILL, 5)):
            target = f"crash{int(number)}.mp4"
            process = self.start(target)
            self.wait_for_segments(process, target)
            for child in children(process.pid)[:1]:
                try:
                    os.kill(child, number)
                except ProcessLookupError:
                    pass
            _, said = process.communicate(timeout=SECONDS)
            if process.returncode == 0:
                continue
            self.assertEqual(process.returncode, code, said)
            self.assertRegex(said, "the film helper .fye-av, (decode|encode|mux). (crashed|was killed)")
            self.assertIn("finished frames are kept", said)
            self.assertFalse((self.place.folder / target).exists())
            self.check_finish(target)

    def test_two_at_once(self):
        first = self.start("both.mp4")
        while first.poll() is None and not self.work_folders("both.mp4"):
            time.sleep(0.0005)
        second = self.place.run(*self.words("both.mp4"))
        first.communicate(timeout=SECONDS)
        self.assertEqual(first.returncode, 0)
        if second.returncode:
            self.assertEqual(second.returncode, 5, second.stderr)
            self.assertIn("another fye is at work on it", second.stderr)
        self.assertEqual((self.place.folder / "both.mp4").read_bytes(), self.bytes)

    def test_other_settings_begin_anew(self):
        process = self.start("settings.mp4")
        self.wait_for_segments(process, "settings.mp4")
        process.kill()
        process.communicate()
        if (self.place.folder / "settings.mp4").exists():
            return
        report = self.finish("settings.mp4", "--crf", "30")
        self.assertEqual(report["resumed_frames"], 0)
        # What was of the same output and of no more use is gone too.
        self.assertEqual(self.work_folders("settings.mp4"), [])

    def test_a_changed_film_begins_anew(self):
        film_clips.plain(self.place, "clip2.mp4", 4)
        process = subprocess.Popen([str(self.place.fye), "up", "clip2.mp4", "-o", "changed.mp4", "-m", "tiny.onnx"],
                                   cwd=self.place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wait_for_segments(process, "changed.mp4")
        process.kill()
        process.communicate()
        if (self.place.folder / "changed.mp4").exists():
            return
        film_clips.ffmpeg(self.place, *film_clips.test_picture(2, rate=12), *film_clips.X264, "-pix_fmt", "yuv420p", "clip2.mp4")
        report = json.loads(self.place.must("up", "clip2.mp4", "-o", "changed.mp4", "-m", "tiny.onnx", "--json").stdout)
        self.assertEqual((report["resumed_frames"], report["frames"]), (0, 24))

    def test_a_damaged_segment_is_found(self):
        process = self.start("rot.mp4")
        self.wait_for_segments(process, "rot.mp4")
        process.kill()
        process.communicate()
        if (self.place.folder / "rot.mp4").exists():
            return
        segment = sorted(self.work_folders("rot.mp4")[0].glob("*.seg"))[0]
        data = bytearray(segment.read_bytes())
        data[len(data) // 2] ^= 1
        segment.write_bytes(data)
        done = self.place.run(*self.words("rot.mp4"))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("its finished segment 0 was damaged on the disk, and is dropped", done.stderr)
        self.assertFalse((self.place.folder / "rot.mp4").exists())
        report = self.finish("rot.mp4")
        self.assertEqual((self.place.folder / "rot.mp4").read_bytes(), self.bytes)
        self.assertEqual(report["frames"], 24 * CLIP_SECONDS)


if __name__ == "__main__":
    unittest.main()
