#include "worker/http/media_types.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "support/catch.h"

namespace forklift {

TEST_CASE("a media type is that of the last extension, in any case") {
  const MediaTypes types =
      MediaTypes::parse("image/png png\napplication/gzip\tgz  tgz\r\nimage/jpeg jpeg jpg JPE");
  CHECK(types.of("a.png") == "image/png");
  CHECK(types.of("dir.gz/A.PnG") == "image/png");
  CHECK(types.of("a.tar.gz") == "application/gzip");
  CHECK(types.of("a.tgz") == "application/gzip");
  CHECK(types.of("a.jpe") == "image/jpeg");
  for (const char* name : {"", "png", ".png", "dir/.png", "a.", "a.unknown", "a.png/b", "a.png ", "a.pn"}) {
    CAPTURE(name);
    CHECK(types.of(name) == "application/octet-stream");
  }
  CHECK(types.of("a." + std::string(1000, 'p')) == "application/octet-stream");
}

TEST_CASE("text is said to be UTF-8, unless the table says what it is") {
  const MediaTypes types =
      MediaTypes::parse("text/plain txt\nTEXT/html;charset=shift_jis htm\napplication/json json");
  CHECK(types.of("a.txt") == "text/plain; charset=utf-8");
  CHECK(types.of("a.htm") == "TEXT/html;charset=shift_jis");
  CHECK(types.of("a.json") == "application/json");
}

TEST_CASE("of two lines for one extension the later counts") {
  const MediaTypes types = MediaTypes::parse("a/one x y\na/two x\na/three z X");
  CHECK(types.of("f.x") == "a/three");
  CHECK(types.of("f.y") == "a/one");
  CHECK(types.size() == 3);
}

TEST_CASE("what is no media type never becomes one") {
  const MediaTypes types = MediaTypes::parse(
      "# a/comment c1\n\n   \na/b#c c2\nnoslash c3\n/b c4\na/ c5\na/b/c c6\na/b;q c7\na/b;=v c8\na/b;n=v;m=w "
      "c9\n"
      "a/b\x01 c10\na/\xc3\xa9 c11\na/b,c c12\na/b;n= c13\ngood/type c14 #c15\nlonely/type\na/b\0c c16");
  for (int i = 1; i <= 16; ++i) {
    const std::string name = "f.c" + std::to_string(i);
    CAPTURE(name);
    CHECK(types.of(name) == (i == 14 ? "good/type" : "application/octet-stream"));
  }
  CHECK(types.size() == 1);
}

TEST_CASE("the built-in table serves where the system has none, or an empty one") {
  const MediaTypes none = MediaTypes::load("/nonexistent/mime.types");
  CHECK(none.size() == MediaTypes::built_in().size());
  CHECK(none.of("index.html") == "text/html; charset=utf-8");
  CHECK(none.of("a.woff2") == "font/woff2");
  CHECK(none.of("a.md") == "text/markdown; charset=utf-8");
  CHECK(MediaTypes::load("/dev/null").size() == none.size());
  CHECK(MediaTypes::load("/").size() == none.size());
}

TEST_CASE("a table is loaded from its file") {
  char path[] = "/tmp/forklift-mime-XXXXXX";
  const int descriptor = mkstemp(path);
  REQUIRE(descriptor >= 0);
  close(descriptor);
  std::ofstream(path) << "# mine\na/b c\n";
  const MediaTypes types = MediaTypes::load(path);
  std::remove(path);
  CHECK(types.of("x.c") == "a/b");
  CHECK(types.size() == 1);
}

TEST_CASE("the system's table and the built-in one say the same of what both know") {
  const MediaTypes system = MediaTypes::load();
  const MediaTypes built_in = MediaTypes::built_in();
  for (const char* name :
       {"a.html", "a.css", "a.js", "a.txt", "a.csv", "a.json", "a.pdf", "a.zip", "a.gz", "a.png", "a.jpg",
        "a.svg", "a.webp", "a.mp4", "a.webm", "a.mp3", "a.docx", "a.wasm", "a.woff2"}) {
    CAPTURE(name);
    CHECK(system.of(name) == built_in.of(name));
    CHECK(built_in.of(name) != "application/octet-stream");
  }
}

}  // namespace forklift
