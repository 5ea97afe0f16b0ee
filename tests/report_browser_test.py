"""Pages of `fye report` as a browser sees them: no request, no violation, keys, pointing, 500 layers within a second.

usage: report_browser_test.py    (skips without Chromium)
"""

import os
import re
import sys
import unittest

import report_page
import tiny_model
import tiny_pictures as pictures
from browser import Browser, find_chromium
from report_page import HOSTILE, MEASURED, report
from workplace import SKIPPED, Workplace

CLIP = "getComputedStyle(document.querySelector('.shot.over')).clipPath"


def hostile_model():
    """tiny_model.upscaler(2) whose layers are called HOSTILE."""
    weights = [tiny_model.tensor("w", [3, 3, 3, 3], [0.2 if i % 10 == 4 else 0 for i in range(81)]), tiny_model.tensor("b", [3], [1] * 3)]
    nodes, source = [], "in"
    for i, name in enumerate(HOSTILE):
        target = "out" if i + 1 == len(HOSTILE) else f"t{i}{name}"
        nodes.append(tiny_model.node("Conv", [source, "w", "b"], target, [tiny_model.ints_attribute("kernel_shape", [3, 3]),
                                                                         tiny_model.ints_attribute("pads", [1] * 4)], name))
        source = target
    return tiny_model.model(nodes, weights, metadata=tiny_model.conventions(1))


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        report_page.add_files(cls.place)
        cls.page = cls.place.folder / "page.html"
        cls.full = cls.place.folder / "full.html"
        text, _ = report(cls.place, "photo.png", "-m", "tiny.onnx", "--plan", "a.json", "--against", "b.json", "--original", "large.png",
                         *MEASURED)
        cls.full.write_text(text)
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.place.close()

    def setUp(self):
        self.browser.size(1280, 900)
        self.browser.media("light")

    def js(self, expression):
        return self.browser.js(expression)

    def outside(self):
        """Requests that left the page."""
        return [url for url in self.browser.requests if not url.startswith("data:") and url != self.browser.requests[0]]

    def test_it_asks_nobody_and_violates_nothing(self):
        self.browser.open(self.full)
        self.assertEqual(self.browser.requests[0], self.full.as_uri())
        self.assertEqual(self.outside(), [])
        self.assertEqual(self.browser.said, [])
        self.assertIsNotNone(self.js("document.documentElement.dataset.ready"))

    def test_the_check_can_fail(self):
        text = self.full.read_text()
        bad = text.replace("<main", '<img src="http://127.0.0.1:9/x.png" alt=""><script>window.hacked=1</script><main', 1)
        self.page.write_text(bad)
        self.browser.open(self.page)  # the policy holds them up, and says so
        self.assertEqual(self.js("window.hacked"), None)
        self.assertTrue(any("Content Security Policy" in said for said in self.browser.said), self.browser.said)
        self.page.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", bad))
        self.browser.open(self.page)
        self.assertEqual(self.js("window.hacked"), 1)
        self.assertEqual(self.outside(), ["http://127.0.0.1:9/x.png"])
        # One character of a script that the digest does not know, and nothing runs.
        self.page.write_text(text.replace("'use strict';\n", "'use strict'; \n", 1))
        self.browser.open(self.page)
        self.assertIsNone(self.js("document.documentElement.dataset.ready || null"))

    def test_the_seam_moves_by_keyboard(self):
        self.browser.open(self.full)
        self.js("document.getElementById('cut').focus()")
        self.assertEqual(self.js("document.getElementById('cut').value"), "50")
        before = self.js(CLIP)
        self.browser.press("ArrowRight", 10)
        self.assertEqual(self.js("document.getElementById('cut').value"), "60")
        self.assertNotEqual(self.js(CLIP), before)
        self.assertEqual(self.js("document.getElementById('cut').getAttribute('aria-valuetext')"), "60 % A, 40 % B")
        self.browser.press("End")
        self.assertEqual(self.js(CLIP), "inset(0px 0% 0px 0px)")
        self.browser.press("Home")
        self.assertEqual(self.js(CLIP), "inset(0px 100% 0px 0px)")
        # It is one of the stops of the Tab key, and has a name.
        self.js("document.activeElement.blur()")
        stops = []
        for _ in range(40):
            self.browser.press("Tab")
            stops.append(self.js("document.activeElement.id"))
        self.assertIn("cut", stops)
        self.assertTrue(self.js("document.getElementById('cut').labels[0].textContent.trim()"))

    def test_the_seam_follows_the_pointer(self):
        self.browser.open(self.full)
        self.js("document.getElementById('stage').scrollIntoView({block: 'center'})")
        box = self.js("(b => [b.left, b.top, b.width, b.height])(document.getElementById('stage').getBoundingClientRect())")
        self.browser.click(box[0] + 0.25 * box[2], box[1] + box[3] / 2)
        self.assertEqual(self.js("document.getElementById('cut').value"), "25")

    def test_either_side_can_be_any_picture(self):
        self.browser.open(self.full)
        self.assertEqual(self.js("[...document.getElementById('left').options].map(o => o.value)"), ["input", "A", "B", "original"])
        self.js("(s => { s.value = 'original'; s.dispatchEvent(new Event('change')); })(document.getElementById('left'))")
        self.assertEqual(self.js("[...document.querySelectorAll('.shot')].filter(s => !s.hidden).map(s => s.dataset.name)"), ["B", "original"])
        self.assertEqual(self.js("document.querySelector('.shot.over').dataset.name"), "original")
        self.assertTrue(self.js("[...document.querySelectorAll('.shot')].every(s => s.alt && s.complete && s.naturalWidth > 0)"))

    def test_a_plan_is_chosen_by_keyboard_and_by_pointing(self):
        report(self.place, "photo.png", "-m", "tiny.onnx", "--plan", "b.json", *MEASURED)
        self.browser.open(self.page)
        card = "document.getElementById('book-plan').textContent"
        self.assertIn("Plan 2 of 4", self.js(card))  # b.json's own
        self.js("document.getElementById('plan').focus()")
        self.browser.press("End")
        self.assertIn("Plan 4 of 4", self.js(card))
        self.assertIn("26.0 ms", self.js(card))
        self.assertIn("c0 to c2", self.js(card))
        # Where Chart.js drew the first point.
        self.js("document.getElementById('book-chart').scrollIntoView({block: 'center'})")
        x, y = self.js("""(() => { const canvas = document.querySelector('#book-chart canvas'), box = canvas.getBoundingClientRect();
            const point = Chart.getChart(canvas).getDatasetMeta(0).data[0]; return [box.left + point.x, box.top + point.y]; })()""")
        self.browser.click(x, y)
        self.browser.drawn()
        self.assertIn("Plan 1 of 4", self.js(card))
        self.assertEqual(self.js("document.getElementById('plan').value"), "0")

    def test_charts_have_a_twin_in_words(self):
        self.browser.open(self.full)
        self.assertTrue(self.js("[...document.querySelectorAll('canvas')].every(c => c.getAttribute('role') === 'img' && c.getAttribute('aria-label'))"))
        self.assertGreaterEqual(self.js("document.querySelectorAll('canvas').length"), 2)
        self.assertEqual(self.js("document.querySelectorAll('#book-table tbody tr').length"), 4)
        self.assertEqual(self.js("document.querySelectorAll('#layer-table tbody tr').length"), 3)
        tables = "[...document.querySelectorAll('table')]"
        self.assertTrue(self.js(f"{tables}.every(t => t.caption && [...t.querySelectorAll('th')].every(h => h.scope))"))

    def test_layers_are_sorted_and_found(self):
        self.browser.open(self.full)
        names = "[...document.querySelectorAll('#layer-table tbody tr')].filter(r => !r.hidden).map(r => r.querySelector('bdi').textContent)"
        self.assertEqual(self.js(names), ["c0", "c1", "c2"])
        click = lambda text: self.js(f"[...document.querySelectorAll('#layer-table thead button')].find(b => b.textContent === '{text}').click()")
        click("MACs")
        self.assertEqual(self.js(names), ["c2", "c1", "c0"])
        click("MACs")
        self.assertEqual(self.js(names), ["c0", "c1", "c2"])
        self.assertEqual(self.js("document.querySelector('#layer-table [aria-sort=ascending]').textContent"), "MACs")
        self.js("(f => { f.value = 'C1'; f.dispatchEvent(new Event('input')); })(document.getElementById('find'))")
        self.assertEqual(self.js(names), ["c1"])

    def test_five_hundred_layers_take_less_than_a_second(self):
        report_page.many_layers(self.place)
        text, _ = report(self.place, "good.png", "-m", "many.onnx", "--profile", "many.profile.json", "--losses", "many.losses.json",
                         "--book", "many.book.json", "--rounds", "1")
        self.assertLess(report_page.without_pictures(text), 300_000)
        waited, worked = [], []
        for _ in range(5):
            self.browser.open(self.page)
            # From the start of loading until the second frame has been drawn: what a person waits for.
            waited.append(self.js("performance.now()"))
            worked.append(self.browser.thread_ms())
        self.assertEqual(self.js("document.querySelectorAll('#layer-table tbody tr').length"), 500)
        print(f"500 layers: {min(waited):.0f} ms to the second frame, {min(worked):.0f} ms of work; best of 5")
        self.assertLess(min(worked), 1000)
        if os.getloadavg()[0] < 1:  # else other programs have their share of the waiting
            self.assertLess(min(waited), 1000)

    def test_hostile_names_are_names(self):
        self.place.write("hostile.onnx", hostile_model())
        for number, name in enumerate(HOSTILE):
            if "/" not in name:
                self.place.write(f"{name}.png", pictures.png(16, 12))
                report(self.place, f"{name}.png", "-m", "hostile.onnx", "--numbers", "f32", "--rounds", "1")
                self.browser.open(self.page)
                self.assertEqual(self.js("document.getElementById('subject').textContent"), f"{name}.png")
        self.assertEqual(self.js("[...document.querySelectorAll('#layer-table bdi')].map(b => b.textContent).filter((t, i) => i % 2 === 0)"), HOSTILE)
        self.assertIsNone(self.js("window.hacked === undefined ? null : window.hacked"))
        self.assertEqual(self.js("[document.images.length, document.scripts.length]"), [2, 3])
        self.assertEqual(self.outside(), [])
        self.assertEqual(self.browser.said, [])

    def test_it_fits_narrow_and_wide_screens(self):
        for width in (320, 390, 768, 1280, 2560):
            self.browser.size(width, 800)
            self.browser.open(self.full)
            self.assertLessEqual(self.js("document.documentElement.scrollWidth"), width)

    def test_paper(self):
        self.browser.media("dark", "print")
        self.browser.open(self.full)
        self.assertEqual(self.js("getComputedStyle(document.querySelector('.toc')).display"), "none")
        self.assertEqual(self.js("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
        self.js("dispatchEvent(new Event('beforeprint'))")
        self.assertTrue(self.js("[...document.querySelectorAll('details')].every(d => d.open)"))
        self.browser.media("light")

    def test_dark_is_dark(self):
        self.browser.media("dark")
        self.browser.open(self.full)
        self.assertEqual(self.js("getComputedStyle(document.body).backgroundColor"), "rgb(16, 19, 23)")

    def test_plans_alone(self):
        report(self.place, "-m", "tiny.onnx", "--plan", "b.json", *MEASURED)
        self.browser.open(self.page)
        self.assertEqual(self.browser.said, [])
        self.assertEqual(self.js("[...document.querySelectorAll('main section')].map(s => s.id)"), ["layers", "book", "origin", "absent"])


if __name__ == "__main__":
    if not find_chromium():
        print("skip: there is no Chromium (Debian's package chromium)")
        sys.exit(SKIPPED)
    unittest.main()
