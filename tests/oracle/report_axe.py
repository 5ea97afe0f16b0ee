"""Pages of `fye report` by axe-core's rules of accessibility: no serious and no critical finding.

usage: report_axe.py    (in build/oracle, which has axe.min.js; skips without Chromium)
"""

import importlib.util
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import report_page
from browser import Browser, find_chromium
from report_page import MEASURED, report
from workplace import SKIPPED, Workplace


def find_axe():
    """axe.min.js of the package that brings it along, which is not imported."""
    package = importlib.util.find_spec("axe_playwright_python")
    return package and pathlib.Path(package.submodule_search_locations[0]) / "axe.min.js"


class Accessibility(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        report_page.add_files(cls.place)
        cls.axe = find_axe().read_text()
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.place.close()

    def findings(self):
        self.browser.js(self.axe + "; 0")
        return self.browser.js("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(v => "
                               "[v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))")

    def check(self, *arguments):
        report(self.place, *arguments)
        for scheme in ("light", "dark"):
            for width in (390, 1280):
                with self.subTest(arguments=arguments, scheme=scheme, width=width):
                    self.browser.size(width, 900)
                    self.browser.media(scheme)
                    self.browser.open(self.place.folder / "page.html")
                    self.browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
                    found = self.findings()
                    for finding in found:
                        print(scheme, width, *finding)
                    self.assertEqual([f for f in found if f[0] in ("serious", "critical")], [])

    def test_two_plans_with_everything(self):
        self.check("photo.png", "-m", "tiny.onnx", "--plan", "a.json", "--against", "b.json", "--original", "large.png", *MEASURED)

    def test_a_picture_alone(self):
        self.check("photo.png", "-m", "tiny.onnx")

    def test_plans_alone(self):
        self.check("-m", "tiny.onnx", "--plan", "b.json", *MEASURED)

    def test_a_stream(self):
        self.place.must("run", "tiny.onnx", "photo.png", "--plan", "b.json", "--deadline", "1e12", "--frames", "40", "--trace", "t.json",
                        environment=self.place.nowhere)
        self.check("-m", "tiny.onnx", "--trace", "t.json")

    def test_the_rules_can_fail(self):
        report(self.place, "photo.png", "-m", "tiny.onnx")
        self.browser.open(self.place.folder / "page.html")
        self.browser.js("document.querySelector('label[for=cut]').remove(); document.querySelector('.shot').removeAttribute('alt')")
        serious = {finding[1] for finding in self.findings() if finding[0] in ("serious", "critical")}
        self.assertLessEqual({"label", "image-alt"}, serious)


if __name__ == "__main__":
    if not find_chromium() or not find_axe():
        print("skip: there is no", "axe-playwright-python in this environment" if find_chromium() else "Chromium")
        sys.exit(SKIPPED)
    unittest.main()
