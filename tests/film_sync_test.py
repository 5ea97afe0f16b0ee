"""Sound and picture after an hour: every packet of the sound and every frame's time as in the film that came in, by ffprobe."""

import unittest

import film_clips
from workplace import Workplace

MINUTES = 60


class Hour(unittest.TestCase):
    """Few frames, so that it takes seconds, at times that drift apart if they are counted instead of copied: 2002/1000 of a second
    each, every seventh left out, the sound beside it in packets of 1024 samples."""

    @classmethod
    def setUpClass(cls):
        film_clips.need_ffmpeg()
        cls.place = Workplace()
        cls.place.write("same.onnx", film_clips.changes_nothing())
        seconds = 60 * MINUTES
        film_clips.ffmpeg(cls.place, "-f", "lavfi", "-i", f"testsrc2=s=32x32:r=1000/2002:d={seconds}", "-f", "lavfi", "-i",
                          f"anullsrc=r=8000:cl=mono:d={seconds}", "-vf", "select='mod(n,7)'", "-fps_mode", "vfr", "-c:v", "libx264",
                          "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-video_track_timescale", "90000", "-c:a", "aac", "-b:a", "8k",
                          "hour.mp4")
        film_clips.ffmpeg(cls.place, "-i", "hour.mp4", "-c", "copy", "hour.mkv")

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def check(self, name):
        self.place.must("up", name, "-o", f"big_{name}", "-m", "same.onnx", "--preset", "ultrafast")
        sound = film_clips.packets(self.place, name, "a:0")
        self.assertGreater(float(sound[-1]["pts_time"]), 60 * MINUTES - 5)
        self.assertEqual(film_clips.packets(self.place, f"big_{name}", "a:0"), sound)
        shown = film_clips.times(self.place, name)
        self.assertGreater(float(shown[-1]), 60 * MINUTES - 5)
        self.assertEqual(film_clips.times(self.place, f"big_{name}"), shown)

    def test_mp4(self):
        self.check("hour.mp4")

    def test_matroska(self):
        self.check("hour.mkv")


if __name__ == "__main__":
    unittest.main()
