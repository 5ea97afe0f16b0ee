"""What `cmake --install` and `cpack` make of a build: the program with its networks, the library for programs of others,
packages, man pages and completions.

usage: install_test.py [Class[.test]...]   the build folder is that of $FYE
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import tiny_pictures as pictures
from workplace import ROOT, SKIPPED, find_fye

HELLO = ROOT / "examples/hello"
LINE = re.compile(r"^  (-[^\s]+)", re.MULTILINE)  # of --help: "  -o,--output OUT    picture to write"


def tool(name):
    found = shutil.which(name)
    if not found:
        raise unittest.SkipTest(f"{name} is not installed; ./check installs it")
    return found


def run(*words, must=True, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=240, **options)
    if must and done.returncode:
        raise AssertionError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def options_of(text):
    """Every name of an option in what --help prints."""
    return {name for names in LINE.findall(text) for name in names.split(",")}


class Case(unittest.TestCase):
    """A folder with a picture and, below prefix, an installation; programs see nothing of the build or its models."""

    @classmethod
    def setUpClass(cls):
        cls.built = find_fye()
        cls.build = cls.built.parent
        if not (cls.build / "cmake_install.cmake").exists() or not (cls.build / "libfye.so").exists():
            print(f"skip: {cls.build} is no whole build")
            sys.exit(SKIPPED)
        folder = tempfile.TemporaryDirectory(prefix="fye_install_")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name).resolve()
        cls.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(cls.folder), "LANG": "C.UTF-8"}
        (cls.folder / "small.png").write_bytes(pictures.png(40, 30))
        cls.prefix = cls.folder / "prefix"
        run("cmake", "--install", cls.build, "--prefix", cls.prefix)
        cls.fye = cls.prefix / "bin/fye"

    def must(self, *words, **more):
        return run(*words, cwd=self.folder, env={**self.environment, **more})

    def large(self, fye=None):
        """The enlarged picture's bytes, by a fye that has to find its networks alone."""
        self.must(fye or self.fye, "up", "small.png", "-o", "large.png")
        return (self.folder / "large.png").read_bytes()

    def expected(self):
        self.must(self.built, "up", "small.png", "-o", "expected.png", FYE_MODELS=str(ROOT / "models"))
        return (self.folder / "expected.png").read_bytes()

    def hello_equals(self, hello, libraries):
        self.must(hello, "small.png", "hello.png", LD_LIBRARY_PATH=str(libraries))
        self.assertEqual((self.folder / "hello.png").read_bytes(), self.expected())


class Prefix(Case):
    def test_runs_without_anything_said(self):
        self.assertEqual(self.large(), self.expected())

    def test_finds_its_own_models(self):
        start = time.perf_counter()
        doctor = json.loads(self.must(self.fye, "doctor", "--json").stdout)
        self.assertLess(time.perf_counter() - start, 1)  # users.md, U22
        shipped = {path.stem for path in (ROOT / "models").glob("*.onnx") if not path.name.startswith("lpips_")}
        self.assertEqual({model["name"] for model in doctor["models"]}, shipped)
        self.assertEqual({str(pathlib.Path(model["path"]).parent) for model in doctor["models"]},
                         {str(self.prefix / "share/fye/models")})

    def test_every_model_has_what_belongs_to_it(self):
        installed = self.prefix / "share/fye/models"
        for path in (ROOT / "models").iterdir():
            if path.is_file() and not path.name.startswith("lpips_"):
                self.assertTrue((installed / path.name).exists(), path.name)

    def test_may_be_moved(self):
        moved = self.folder / "moved"
        shutil.copytree(self.prefix, moved, symlinks=True)
        self.assertEqual(self.large(moved / "bin/fye"), self.expected())

    def test_may_be_linked(self):
        link = self.folder / "link"
        link.symlink_to(self.fye)
        self.assertEqual(self.large(link), self.expected())

    def test_film_helper(self):
        """The helper is where the program looks for it, if this build has one."""
        self.assertEqual((self.build / "fye-av").exists(), (self.prefix / "libexec/fye/fye-av").exists())

    def test_without_models_says_so(self):
        bare = self.folder / "bare"
        shutil.copytree(self.prefix, bare, symlinks=True)
        shutil.rmtree(bare / "share/fye/models")
        done = run(bare / "bin/fye", "up", "small.png", "-o", "x.png", must=False, cwd=self.folder, env=self.environment)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no shipped models", done.stderr)
        self.assertIn("FYE_MODELS", done.stderr)
        self.assertFalse((self.folder / "x.png").exists())

    def test_a_prefix_that_cant_be_written(self):
        (self.folder / "file").write_text("not a folder")
        done = run("cmake", "--install", self.build, "--prefix", self.folder / "file/prefix", must=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(self.folder / "file/prefix"), done.stderr)
        self.assertEqual((self.folder / "file").read_text(), "not a folder")

    def test_terms_of_what_is_compiled_in(self):
        self.assertTrue((self.prefix / "share/doc/fye/copyright").exists())
        for library in ("libcli11-dev", "nlohmann-json3-dev"):
            if pathlib.Path("/usr/share/doc", library, "copyright").exists():
                self.assertTrue((self.prefix / "share/doc/fye/licences" / library).exists(), library)


class Library(Case):
    def test_hello_in_the_tree(self):
        hello = self.build / "examples/hello/hello"
        if not hello.exists():
            self.skipTest("hello is not built")
        self.must(hello, "small.png", "hello.png", FYE_MODELS=str(ROOT / "models"))
        self.assertEqual((self.folder / "hello.png").read_bytes(), self.expected())

    def test_hello_by_cmake(self):
        built = self.folder / "by_cmake"
        self.must("cmake", "-S", HELLO, "-B", built, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.must("cmake", "--build", built)
        self.hello_equals(built / "hello", "")  # CMake leaves the library's folder in the program

    def test_hello_by_pkg_config(self):
        asks = ["pkg-config", "--cflags", "--libs", "fye"]
        flags = self.must(*asks, PKG_CONFIG_PATH=str(self.prefix / "lib/pkgconfig")).stdout.split()
        self.must("g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", HELLO / "hello.cc", "-o", "by_pkg_config", *flags)
        self.hello_equals(self.folder / "by_pkg_config", self.prefix / "lib")

    def test_errors_reach_the_caller(self):
        built = self.build / "examples/hello/hello"
        done = run(built, "no_such.png", "x.png", must=False, cwd=self.folder, env=self.environment)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no_such.png", done.stderr)

    def test_another_version_is_refused(self):
        project = self.folder / "later"
        project.mkdir()
        (project / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(later LANGUAGES CXX)\n"
                                                "find_package(fye 9.0 REQUIRED)\n")
        done = run("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}", must=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("0.1.0", done.stderr)

    def test_every_header_compiles_alone(self):
        headers = sorted((self.prefix / "include").rglob("*.h"))
        self.assertIn("fye.h", [header.name for header in headers])
        compilers = [["g++"]] + ([["clang++"]] if shutil.which("clang++") else [])
        for header in headers:
            for compiler in compilers:
                with self.subTest(header=header.name, compiler=compiler[0]):
                    name = header.relative_to(self.prefix / "include")
                    (self.folder / "alone.cc").write_text(f'#include <{name}>\n#include <{name}>\n')
                    run(*compiler, "-std=c++20", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", "-fsyntax-only",
                        "-I", self.prefix / "include", "alone.cc", cwd=self.folder)

    def test_nothing_else_is_exported(self):
        lines = run("nm", "-DC", "--defined-only", self.prefix / "lib/libfye.so.0").stdout.splitlines()
        names = [line.split(" ", 2)[2] for line in lines if line.split(" ", 2)[1] != "A"]
        self.assertGreater(len(names), 10)
        self.assertEqual([name for name in names if not name.startswith("fye::v0::")], [])
        self.assertEqual([name for name in names if "::State::" in name or "Access" in name], [])


class Packages(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("dpkg-deb", "dpkg-shlibdeps", "file"):
            tool(name)
        run("cpack", "--config", cls.build / "CPackConfig.cmake", "-B", cls.folder / "packages")
        cls.packages = {path.name.split("_")[0]: path for path in (cls.folder / "packages").glob("*.deb")}
        cls.root = cls.folder / "root"
        for path in cls.packages.values():
            run("dpkg-deb", "-x", path, cls.root)

    def field(self, package, name):
        return run("dpkg-deb", "-f", self.packages[package], name).stdout.strip()

    def names(self, package):
        return {line.split()[5].lstrip(".") for line in run("dpkg-deb", "-c", self.packages[package]).stdout.splitlines()}

    def test_three_packages(self):
        self.assertEqual(set(self.packages), {"fye", "libfye0", "libfye-dev"})
        self.assertLessEqual({"/usr/bin/fye", "/usr/share/fye/models/abpn_x3.onnx", "/usr/share/fye/models/abpn_x3.calib.json",
                              "/usr/share/man/man1/fye.1.gz", "/usr/share/man/man1/fye-up.1.gz",
                              "/usr/share/bash-completion/completions/fye"}, self.names("fye"))
        self.assertLessEqual({"/usr/lib/libfye.so.0", "/usr/lib/libfye.so.0.1.0"}, self.names("libfye0"))
        self.assertLessEqual({"/usr/lib/libfye.so", "/usr/include/fye/fye.h", "/usr/lib/cmake/fye/fyeConfig.cmake",
                              "/usr/lib/pkgconfig/fye.pc"}, self.names("libfye-dev"))
        every = [name for package in self.packages for name in self.names(package) if not name.endswith("/")]
        self.assertEqual(len(every), len(set(every)), "a file is in two packages")
        self.assertEqual([name for name in every if "lpips" in name and name.endswith(".onnx")], [])

    def test_dependencies(self):
        for package in ("fye", "libfye0"):
            depends = self.field(package, "Depends")
            for library in ("libc6", "libvips42", "libonnx1", "libdnnl2"):
                self.assertRegex(depends, rf"\b{library}\b")
        self.assertEqual(self.field("libfye-dev", "Depends"), "libfye0 (= 0.1.0)")

    def test_runs_from_another_root(self):
        self.assertEqual(self.large(self.root / "usr/bin/fye"), self.expected())

    def test_the_library_finds_the_models(self):
        hello = self.build / "examples/hello/hello"
        if not hello.exists():
            self.skipTest("hello is not built")
        alone = self.folder / "hello"
        shutil.copy(hello, alone)
        patched = self.must("ldd", alone, LD_LIBRARY_PATH=str(self.root / "usr/lib")).stdout
        if str(self.root) not in patched:  # the build's own folder in the program goes before LD_LIBRARY_PATH
            self.must("g++", "-std=c++20", HELLO / "hello.cc", "-o", alone, f"-I{self.root}/usr/include", f"-L{self.root}/usr/lib",
                      "-lfye")
        self.hello_equals(alone, self.root / "usr/lib")

    def test_lintian(self):
        lintian = tool("lintian")
        done = run(lintian, "--fail-on", "none", *self.packages.values())
        self.assertEqual([line for line in done.stdout.splitlines() if line.startswith("E:")], [])


class Help(Case):
    """Every option of every verb's --help is in its man page and in each completion; shells and man take them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        share = cls.prefix / "share"
        cls.pages = share / "man/man1"
        cls.bash = share / "bash-completion/completions/fye"
        cls.zsh = share / "zsh/site-functions/_fye"
        cls.fish = share / "fish/vendor_completions.d/fye.fish"
        cls.options = {}
        cls.examples = {}
        cls.look()
        cls.verbs = sorted(words[0] for words in cls.options if len(words) == 1)

    @classmethod
    def look(cls, *words):
        """The options and examples of `fye WORDS`, and of all verbs below it."""
        text = run(cls.fye, *words, "--help").stdout
        cls.options[words] = options_of(text)
        cls.examples[words] = [line.strip() for line in text.partition("Examples:\n")[2].splitlines()]
        for verb in re.findall(r"^  ([a-z]\w*) ", text.partition("Subcommands:\n")[2].split("\n\n")[0], re.MULTILINE):
            cls.look(*words, verb)

    def below(self, words):
        return {longer[-1] for longer in self.options if longer[:-1] == words and longer}

    def test_there_are_some(self):
        self.assertLessEqual({"up", "compare", "plan", "doctor"}, set(self.verbs))
        self.assertLessEqual({"-o", "--output", "--deadline", "--mem", "-g"}, self.options["up",])
        self.assertLessEqual({"-h", "--help", "--version"}, self.options[()])
        self.assertIn(("models", "install"), self.options)

    def page(self, words):
        return self.pages / (f"fye-{words[0]}.1" if words else "fye.1")

    def test_man_pages_are_complete(self):
        man = tool("man")
        self.assertEqual({path.name for path in self.pages.iterdir()}, {self.page(words).name for words in self.options})
        for words, options in self.options.items():
            with self.subTest(words=words):
                done = self.must(man, "--warnings", "-l", self.page(words), MANWIDTH="100", MAN_KEEP_FORMATTING="", GROFF_NO_SGR="1")
                self.assertEqual(done.stderr, "")
                text = re.sub("[‐−]", "-", re.sub(".\b", "", done.stdout))
                if len(words) > 1:
                    text = text.split("\n" + " ".join(["fye", *words]).upper())[1]
                self.assertEqual(options - set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", text)), set())

    def test_man_pages_have_the_examples(self):
        for words, lines in self.examples.items():
            text = self.page(words).read_text().replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")
            for line in lines:
                self.assertIn(line, text, words)

    def completed(self, *words):
        """What bash offers for these words, of which the last is being typed."""
        quoted = " ".join(f"'{word}'" for word in words)
        script = (f"source {self.bash}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _fye; "
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        return set(self.must("bash", "-c", script).stdout.split("\n")) - {""}

    def test_bash(self):
        for words, options in self.options.items():
            with self.subTest(words=words):
                self.assertEqual(options - self.completed("fye", *words, "-"), set())
                if self.below(words):
                    self.assertEqual(self.completed("fye", *words, ""), self.below(words))
        self.assertEqual(self.completed("fye", "up", "--form"), {"--format"})
        self.assertIn("png", self.completed("fye", "up", "a.jpg", "--format", ""))
        self.assertEqual(self.completed("fye", "up", "sm"), {"small.png"})
        self.assertEqual(self.completed("fye", "up", "--plan", "sm"), {"small.png"})

    def test_zsh(self):
        run(tool("zsh"), "-n", self.zsh)
        text = self.zsh.read_text()
        self.assertTrue(text.startswith("#compdef fye\n"))
        for words, options in self.options.items():
            with self.subTest(words=words):
                body = re.search(rf"^{'_'.join(['_fye', *words])}\(\) {{\n(.*?)^}}$", text, re.MULTILINE | re.DOTALL).group(1)
                self.assertEqual(options - set(re.findall(r"(?<=[\'{,])--?[a-zA-Z][\w-]*(?=[\'},])", body)), set())
                self.assertEqual(set(re.findall(rf"^      (\w+)\) \w+ ;;$", body, re.MULTILINE)), self.below(words))

    def test_fish(self):
        fish = tool("fish")

        def offered(line):
            done = self.must(fish, "--no-config", "-c", f"source {self.fish}; complete -C '{line}'")
            return {row.split("\t")[0] for row in done.stdout.splitlines()}

        for words, options in self.options.items():
            line = " ".join(["fye", *words, ""])
            with self.subTest(words=words):
                self.assertEqual(options - offered(line + "-") - offered(line + "--"), set())
                if self.below(words):
                    self.assertLessEqual(self.below(words), offered(line))
        self.assertEqual(offered("fye "), set(self.verbs))
        self.assertLessEqual({"png", "jpg"}, offered("fye up --format "))


if __name__ == "__main__":
    if os.environ.get("FYE_BUILD") == "sanitize":
        print("skip: packages are made of release builds")
        sys.exit(SKIPPED)
    unittest.main()
