#include "worker/routes/table.h"

#include <string>

#include "support/catch.h"
#include "support/route_request.h"

namespace forklift {

TEST_CASE("the article's uploads get fresh names, each path its strategy") {
  const auto disk = as<Receive>(route("POST /files/upload/stream/async_read_and_disk_write"));
  CHECK(disk.strategy == find_sink_strategy("blocking"));
  CHECK(disk.target.name == "uploads");
  CHECK(disk.target.mode == PublishMode::kFresh);
  CHECK(disk.style == StoredStyle::kArticle);
  const auto pool = as<Receive>(route("POST /files/upload/stream/async_read_and_async_write?x"));
  CHECK(pool.strategy == find_sink_strategy("pool"));
  CHECK(pool.target.mode == PublishMode::kFresh);
}

TEST_CASE("the article's downloads send the named file, each path its strategy") {
  const auto file = as<Send>(route("GET /files/download/file?name=a/b.jpg"));
  CHECK(file.strategy == find_source_strategy("sendfile"));
  CHECK(file.name == "a/b.jpg");
  CHECK_FALSE(file.sample);
  const auto copy = as<Send>(route("HEAD /files/download/stream/sync_read?x=1&name=b"));
  CHECK(copy.strategy == find_source_strategy("copy"));
  CHECK(copy.name == "b");
}

TEST_CASE("a name in a query is decoded once, with '+' as a space") {
  CHECK(as<Send>(route("GET /files/download/file?name=a+b%2Bc%20%2520&name=z")).name == "a b+c %20");
  CHECK(as<Send>(route("GET /files/download/file?names=x&name=a%2Fb")).name == "a/b");
  refused("GET /files/download/file?name=", 400, "name-bad");
  refused("GET /files/download/file?name", 400, "name-bad");
  refused("GET /files/download/file?name=%", 400, "name-bad");
  refused("GET /files/download/file?name=%2e%2e/a", 400, "name-bad");
  refused("GET /files/download/file?name=.forklift/parts", 409, "name-reserved");
}

TEST_CASE("a query that names no file, as one that is misspelt, does not get the sample") {
  for (const std::string query : {"nam=a", "Name=a", "other=1&x", "name%00=a", "&"}) {
    refused("GET /files/download/file?" + query, 400, "query-unknown");
    refused("HEAD /files/download/stream/sync_read?" + query, 400, "query-unknown");
  }
  CHECK(as<Problem>(route("GET /files/download/file?nam=a")).detail.find("?name=NAME") != std::string::npos);
  CHECK(as<Send>(route("GET /files/download/file?nam%65=a")).name == "a");
}

TEST_CASE("a download without a query sends the sample") {
  for (const std::string path : {"/files/download/file", "/files/download/stream/sync_read?"}) {
    const auto sample = as<Send>(route("GET " + path));
    CHECK(sample.sample);
    CHECK(sample.name.empty());
  }
  CHECK_FALSE(as<Send>(route("GET /files/download/file?name=a")).sample);
}

TEST_CASE("every path of the article has a strategy that exists, and its format") {
  for (const Route& each : RouteTable::routes()) {
    if (each.path.substr(0, 14) == "/files/upload/") CHECK(find_sink_strategy(each.strategy) != nullptr);
    if (each.path.substr(0, 16) == "/files/download/") CHECK(find_source_strategy(each.strategy) != nullptr);
  }
  const std::string boundary = "Content-Type: multipart/form-data; boundary=x\r\n";
  const auto form = as<Receive>(route("POST /files/upload/single/stream", boundary));
  CHECK(form.format == BodyFormat::kForm);
  CHECK(form.boundary == "x");
  CHECK(as<Receive>(route("POST /files/upload/raw/json/base64decode")).format == BodyFormat::kJson);
}

TEST_CASE("no file can take the place of the uploads' directory") {
  refused("PUT /files/uploads", 409, "name-reserved");
  as<Receive>(route("PUT /files/uploads/mine"));
}

TEST_CASE("a form path refuses what is no form") {
  refused("POST /files/upload/single", 400, "form-expected");
  refused("POST /files/upload/single", 400, "form-expected", "Content-Type: multipart/form-data\r\n");
}

TEST_CASE("a strategy that does not work here is 501 at its own path alone") {
  refused("POST /files/upload/stream/direct", 501, "strategy-missing");
  refused("GET /files/download/stream/uring?name=a", 501, "strategy-missing");
  as<Receive>(route("POST /files/upload/stream/async_read_and_disk_write"));
}

TEST_CASE("a file is put, got and deleted by its name") {
  const auto put = as<Receive>(route("PUT /files/a%20b/c+d.txt?x=1"));
  CHECK(put.target.name == "a b/c+d.txt");
  CHECK(put.target.mode == PublishMode::kReplace);
  CHECK(put.style == StoredStyle::kPut);
  CHECK(put.strategy == &sink_strategies().front());
  const auto get = as<Send>(route("GET /files/%41%25"));
  CHECK(get.name == "A%");
  CHECK(get.strategy == &source_strategies().front());
  CHECK(as<Send>(route("HEAD /files/a")).name == "a");
  CHECK(as<Remove>(route("DELETE /files/a/b")).name == "a/b");
}

TEST_CASE("no name leads out of the root or into what is the server's") {
  for (const std::string name : {"..", "../a", "a/../b", "%2e%2e/a", "a/%2e%2e", ".", "a//b", "/a", "%2fa",
                                 "a%2f", "a%00b", "a%0ab", "%7f", "%zz", "a%2"}) {
    for (const std::string method : {"GET", "HEAD", "PUT", "DELETE"}) {
      refused(method + " /files/" + name, 400, "name-bad");
    }
  }
  for (const std::string name :
       {"upload", "upload/x", "download/y", ".forklift/parts/x", "%2eforklift/x", "upload%2fx", "%75pload"}) {
    refused("PUT /files/" + name, 409, "name-reserved");
    refused("GET /files/" + name, 409, "name-reserved");
    refused("DELETE /files/" + name, 409, "name-reserved");
  }
  refused("PUT /files/" + std::string(256, 'a'), 400, "name-too-long");
}

TEST_CASE("a put can ask to create only") {
  const auto put = as<Receive>(route("PUT /files/a", "If-None-Match: *\r\n"));
  CHECK(put.target.mode == PublishMode::kCreateOnly);
  CHECK(put.conditional);
  const auto other = as<Receive>(route("PUT /files/a", "If-None-Match: \"x\"\r\n"));
  CHECK(other.target.mode == PublishMode::kReplace);
}

TEST_CASE("a request with a precondition is judged before it is done, others are not") {
  for (const std::string field : {"If-None-Match: \"x\"", "If-Match: \"x\"", "if-match: *",
                                  "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"}) {
    CHECK(as<Receive>(route("PUT /files/a", field + "\r\n")).conditional);
    CHECK(as<Remove>(route("DELETE /files/a", field + "\r\n")).conditional);
  }
  for (const std::string field : {"", "Accept: a\r\n", "I: a\r\n", "If: (x)\r\n"}) {
    CHECK_FALSE(as<Receive>(route("PUT /files/a", field)).conditional);
    CHECK_FALSE(as<Remove>(route("DELETE /files/a", field)).conditional);
  }
}

TEST_CASE("a file is to be saved by its name where the query says so") {
  CHECK(as<Send>(route("GET /files/a?download")).attachment);
  CHECK(as<Send>(route("GET /files/a?x&download=1")).attachment);
  CHECK_FALSE(as<Send>(route("GET /files/a")).attachment);
  CHECK_FALSE(as<Send>(route("GET /files/download/file?name=a")).attachment);
}

TEST_CASE("a posted body is a file with a fresh name in the directory, a posted form keeps its names") {
  const std::string form = "Content-Type: Multipart/Form-Data; boundary=x\r\n";
  for (const auto& [target, name] : {std::pair<std::string, std::string>{"POST /files/", ""},
                                     {"POST /files/?x=1", ""},
                                     {"POST /files/a%20b/c/", "a b/c"}}) {
    const auto raw = as<Receive>(route(target, "Content-Type: image/png\r\n"));
    CHECK(raw.target.name == name);
    CHECK(raw.target.mode == PublishMode::kFresh);
    CHECK(raw.format == BodyFormat::kRaw);
    CHECK(raw.style == StoredStyle::kPut);
    const auto files = as<Receive>(route(target, form));
    CHECK(files.target.name == name);
    CHECK(files.target.mode == PublishMode::kCreateOnly);
    CHECK(files.format == BodyFormat::kForm);
    CHECK(files.boundary == "x");
    refused(target, 400, "form-expected", "Content-Type: multipart/form-data\r\n");
    refused(target, 400, "content-range", "Content-Range: bytes 0-1/2\r\n");
  }
  refused("POST /files/a", 405, "method-not-allowed");
  refused("GET /files/a/", 405, "method-not-allowed");
  for (const std::string bad : {"/", "a//", "../", "%2e%2e/", "a%00/"}) {
    refused("POST /files/" + bad, 400, "name-bad");
  }
  for (const std::string reserved : {"upload/", "download/x/", ".forklift/", "%2eforklift/parts/"}) {
    refused("POST /files/" + reserved, 409, "name-reserved");
  }
}

TEST_CASE("a range of a file does not pass for the whole") {
  refused("PUT /files/a", 400, "content-range", "Content-Range: bytes 5-9/10\r\n");
}

TEST_CASE("the server says that it is healthy") {
  const auto answer = as<Answer>(route("GET /healthz"));
  CHECK(answer.status == 200);
  CHECK(answer.content_type == "application/json");
  CHECK(answer.body == R"({"status":"ok"})");
  CHECK(as<Answer>(route("HEAD /healthz")).body == answer.body);
}

TEST_CASE("unknown paths are not found") {
  for (const std::string path : {"/", "/files", "/file/a", "/healthz/", "/Files/a", "/healthz%20"}) {
    refused("GET " + path, 404, "route-unknown");
    refused("OPTIONS " + path, 404, "route-unknown");
  }
}

TEST_CASE("a known path names the methods it takes") {
  const auto allow_of = [](const std::string& request) {
    const auto problem = as<Problem>(route(request));
    CHECK(problem.status == 405);
    return problem.allow;
  };
  CHECK(allow_of("POST /files/a") == "GET, HEAD, PUT, DELETE, OPTIONS");
  CHECK(allow_of("PATCH /healthz") == "GET, HEAD, OPTIONS");
  CHECK(allow_of("PUT /files/download/file") == "GET, HEAD, OPTIONS");
  CHECK(allow_of("GET /files/upload/stream/async_read_and_disk_write") == "POST, OPTIONS");
}

TEST_CASE("OPTIONS is answered for every endpoint, and its Allow is true") {
  for (const Route& each : RouteTable::routes()) {
    const std::string more = each.match == PathMatch::kDirectory ? "a/" : "a";
    const std::string path = std::string(each.path) + (each.match == PathMatch::kExact ? "" : more);
    const auto options = as<Answer>(route("OPTIONS " + path));
    CHECK(options.status == 204);
    CHECK(options.body.empty());
    std::string allow;
    for (const auto& [method, handler] : each.methods) {
      if (method != Method::kOptions) allow += std::string(to_string(method)) + ", ";
    }
    CHECK(options.allow == allow + "OPTIONS");
  }
  CHECK(as<Answer>(route("OPTIONS *")).status == 204);
  CHECK(as<Answer>(route("OPTIONS *")).allow == "GET, HEAD, POST, PUT, DELETE, OPTIONS");
}

}  // namespace forklift
