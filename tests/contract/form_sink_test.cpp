// What a form promises, whatever strategy its files go through.

#include <fcntl.h>
#include <sys/resource.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/form_upload.h"
#include "support/valgrind.h"

namespace forklift {
namespace {

using namespace testing;

/// Bytes in which a boundary seems to begin over and over, at every distance.
std::string almost_boundaries(std::size_t size) {
  const std::string delimiter = "\r\n--" + std::string(kFormBoundary);
  std::string bytes;
  for (std::size_t i = 1; bytes.size() < size; i = i % (delimiter.size() - 1) + 1) {
    bytes += delimiter.substr(0, i);
    if (i % 3 == 0) bytes += 'x';
  }
  bytes.resize(size);
  return bytes;
}

void check_files(const StrategyFixture& f, const FormUpload& upload,
                 const std::vector<std::string>& contents) {
  REQUIRE(upload.done());
  CHECK_FALSE(upload.broke_the_contract());
  REQUIRE(upload.form().files.size() == contents.size());
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const FormFile& file = upload.form().files[i];
    CHECK(file.stored.size == contents[i].size());
    CHECK(content_of(f.root / file.stored.file_path) == contents[i]);
  }
  CHECK(upload.stored().file_path == upload.form().files.front().stored.file_path);
}

TEST_CASE("the files and fields of a form come out as they went in, in any chunks") {
  const std::vector<std::string> contents = {body_of(3 * kSlabBytes + 5), "",
                                             almost_boundaries(2 * kSlabBytes + 99), "small"};
  const std::string body = "preamble\r\n" + field_part("a", "1") + file_part("x", "x.bin", contents[0]) +
                           file_part("file", "empty", contents[1]) + field_part("a", "2\r\n") +
                           file_part("y", "../y", contents[2]) + file_part("z", "", "") +
                           file_part("z", "", contents[3]) + closing();
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (const std::vector<std::size_t>& pieces : std::vector<std::vector<std::size_t>>{
             {kSlabBytes}, {4096}, {1, 47, 70001, 3}, {kSlabBytes - 1, 2}}) {
      INFO(strategy->name << " first chunk " << pieces.front());
      ContractFixture f;
      {
        FormUpload upload(f, *strategy);
        run_form(f, upload, body, pieces);
        check_files(f, upload, contents);
        const FormContent& form = upload.form();
        CHECK(form.files[2].field == "y");
        CHECK(form.files[2].filename == "../y");
        CHECK(form.files[2].stored.file_path.rfind("forms/", 0) == 0);
        REQUIRE(form.fields.size() == 2);
        CHECK(form.fields[0].value == "1");
        CHECK(form.fields[1].value == "2\r\n");
      }
      f.check_clean();
    }
  }
}

TEST_CASE("a form that is received comes out as it went in, however the client sends") {
  const std::vector<std::string> contents = {almost_boundaries(kSlabBytes + 77), body_of(600001)};
  const std::string body = file_part("file", "a", contents[0]) + field_part("b", "c") +
                           file_part("d", "e", contents[1]) + closing();
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (const std::size_t piece : {std::size_t{37}, std::size_t{1777}, std::size_t{1} << 22}) {
      INFO(strategy->name << " in pieces of " << piece);
      ContractFixture f(4 * kSlabBytes);
      {
        SocketPair pair = tcp_pair();
        FormUpload upload(f, *strategy);
        upload.receive(std::move(pair.server), body.size());
        ClientThread client([&] { send_all(pair.client.get(), body, piece); });
        CHECK(f.turns.run_until([&] { return upload.over(); }));
        client.join();
        check_files(f, upload, contents);
      }
      f.check_clean();
    }
  }
}

TEST_CASE("what a boundary hides at the end of a read costs no slab while the client is silent") {
  const std::string content = "abc\r\n--" + std::string(kFormBoundary.substr(0, 20)) + "def";
  const std::string body = file_part("file", "a", content) + closing();
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (const std::size_t size : {body.find("abc") + 4, body.find("abc") + 17, body.find("def")}) {
      INFO(strategy->name << " silent after " << size);
      ContractFixture f(2 * kSlabBytes);
      SocketPair pair = tcp_pair();
      FormUpload upload(f, *strategy);
      upload.receive(std::move(pair.server), body.size());
      send_all(pair.client.get(), std::string_view(body).substr(0, size));
      f.turns.run_for(milliseconds(20));
      REQUIRE(f.turns.run_until([&] { return f.disk.in_flight() == 0; }));
      CHECK(f.slabs.bytes_in_use() == 0);
      send_all(pair.client.get(), std::string_view(body).substr(size));
      REQUIRE(f.turns.run_until([&] { return upload.over(); }));
      check_files(f, upload, {content});
    }
  }
}

TEST_CASE("a form that turns out bad at its very end leaves nothing, not even files that came whole") {
  const std::string good = file_part("file", "a", body_of(kSlabBytes + 9)) + file_part("b", "b", "b");
  FormLimits limits;
  limits.files_max = 2;
  limits.field_bytes_max = 5;
  limits.surround_bytes_max = 10;
  struct Case {
    std::string body;
    ErrorCode code;
    std::int64_t limit = -1;
  };
  const std::vector<Case> cases = {
      {good, ErrorCode::kBadBody},
      {good + closing().substr(0, closing().size() - 3), ErrorCode::kBadBody},
      {good + "--" + std::string(kFormBoundary) + "x", ErrorCode::kBadBody},
      {good + "--" + std::string(kFormBoundary) + "\r\nX\r\n\r\n", ErrorCode::kBadBody},
      {good + file_part("c", "c", "c") + closing(), ErrorCode::kBodyTooLarge, 2},
      {good + field_part("fie", "ld") + field_part("s", "") + closing(), ErrorCode::kBodyTooLarge, 5},
      {good + closing() + "epilogue!", ErrorCode::kBodyTooLarge, 10}};
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      INFO(strategy->name << " case " << i);
      ContractFixture f;
      {
        FormUpload upload(f, *strategy, limits);
        run_form(f, upload, cases[i].body, {70001});
        CHECK(upload.failed_with(cases[i].code));
        CHECK(upload.error()->limit == cases[i].limit);
      }
      f.check_clean();
      CHECK(files_in(f.root).empty());
    }
  }
}

TEST_CASE("a form without a file, or without a boundary, is a bad body") {
  // What would be a form if its boundary might be empty.
  const std::string unbounded =
      "--\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nx\r\n----\r\n";
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (const std::string& body :
         {std::string(), std::string("x"), closing(), field_part("a", "b") + closing(),
          file_part("file", "", "") + closing()}) {
      ContractFixture f;
      FormUpload upload(f, *strategy);
      run_form(f, upload, body);
      CHECK(upload.failed_with(ErrorCode::kBadBody));
      CHECK(visible_in(f.root).empty());
    }
    ContractFixture f;
    {
      FormUpload upload(f, *strategy, {}, "");
      run_form(f, upload, unbounded);
      CHECK(upload.failed_with(ErrorCode::kBadBody));
    }
    f.check_clean();
  }
}

/// Starts a form, lets it take `steps`, destroys it. True when it ended before.
bool destroy_form_after(const SinkStrategy& strategy, const std::string& body, int steps, bool when_quiet) {
  ContractFixture f;
  bool over = false;
  bool finishing = false;
  {
    FormUpload upload(f, strategy);
    upload.stop_after(steps);
    upload.write(body, {50000});
    REQUIRE(f.turns.run_until([&] { return upload.over() || upload.stopped(); }));
    if (when_quiet) REQUIRE(f.turns.run_until([&] { return f.disk.in_flight() == 0; }));
    over = upload.over();
    finishing = upload.finishing();
  }
  f.check_clean();
  // The one publication that was under way may have come through.
  const std::size_t left = files_in(f.root).size();
  CHECK(left <= (over ? 3u : finishing && !strategy.blocks_loop ? 1u : 0u));
  return over;
}

TEST_CASE("a form destroyed after any step leaves no file but one being published") {
  const std::string body = file_part("file", "a", body_of(kSlabBytes)) + file_part("b", "b", body_of(50)) +
                           file_part("c", "c", body_of(2 * kSlabBytes)) + closing();
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (const bool when_quiet : {false, true}) {
      bool over = false;
      for (int steps = 0; !over; ++steps) {
        INFO(strategy->name << " after " << steps << " steps" << (when_quiet ? ", quiet" : ""));
        REQUIRE(steps < 1000);
        over = destroy_form_after(*strategy, body, steps, when_quiet);
      }
    }
  }
}

TEST_CASE("forms of many clients share a small budget of slabs") {
  struct Client {
    SocketPair pair = tcp_pair();
    std::vector<std::string> contents;
    std::string body;
    std::unique_ptr<FormUpload> upload;
    std::unique_ptr<ClientThread> thread;
  };
  const auto strategies = seeing_strategies();
  ContractFixture f(3 * kSlabBytes);
  {
    std::vector<Client> clients(6);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      Client& client = clients[i];
      client.contents = {body_of(300001, i + 1), almost_boundaries(200000 + i)};
      client.body =
          file_part("a", "a", client.contents[0]) + file_part("b", "b", client.contents[1]) + closing();
      client.upload = std::make_unique<FormUpload>(f, *strategies[i % strategies.size()]);
      client.upload->receive(std::move(client.pair.server), client.body.size());
      client.thread = std::make_unique<ClientThread>(
          [&client] { send_all(client.pair.client.get(), client.body, 9973); });
    }
    for (Client& client : clients) {
      CHECK(f.turns.run_until([&] { return client.upload->over(); }));
      client.thread->join();
      check_files(f, *client.upload, client.contents);
    }
  }
  f.check_clean();
}

std::string form_of_files(std::size_t count) {
  std::string body;
  for (std::size_t i = 0; i < count; ++i) body += file_part("f", "f", "content " + std::to_string(i));
  return body + closing();
}

TEST_CASE("a form with more files than all forms may hold open is too large, and is told the number") {
  for (const SinkStrategy* strategy : seeing_strategies()) {
    INFO(strategy->name);
    ContractFixture f;
    FormUploads three(3);
    f.uploads.forms = &three;
    {
      FormUpload upload(f, *strategy);
      run_form(f, upload, form_of_files(4));
      CHECK(upload.failed_with(ErrorCode::kBodyTooLarge));
      CHECK(upload.error()->limit == 3);
    }
    CHECK(three.open_files() == 0);
    FormUpload fits(f, *strategy);
    run_form(f, fits, form_of_files(3));
    CHECK(fits.done());
    CHECK(three.open_files() == 0);
  }
}

TEST_CASE("a form that comes while others hold all the files is told to come again, and they go on") {
  for (const SinkStrategy* strategy : seeing_strategies()) {
    INFO(strategy->name);
    ContractFixture f;
    FormUploads three(3);
    f.uploads.forms = &three;
    {
      const std::string body = form_of_files(2);
      SocketPair pair = tcp_pair();
      FormUpload slow(f, *strategy);
      slow.receive(std::move(pair.server), body.size());
      send_all(pair.client.get(), body.substr(0, body.size() - 3));
      REQUIRE(f.turns.run_until([&] { return three.open_files() == 2; }));
      {
        FormUpload upload(f, *strategy);
        run_form(f, upload, form_of_files(2));
        CHECK(upload.failed_with(ErrorCode::kTooManyOpen));
        CHECK(upload.error()->limit == 3);
      }
      CHECK(three.open_files() == 2);
      send_all(pair.client.get(), body.substr(body.size() - 3));
      REQUIRE(f.turns.run_until([&] { return slow.over(); }));
      check_files(f, slow, {"content 0", "content 1"});
      FormUpload again(f, *strategy);
      run_form(f, again, form_of_files(2));
      CHECK(again.done());
    }
    CHECK(three.open_files() == 0);
    f.check_clean();
  }
}

/// Leaves this process `spare` descriptors more than it has.
class FewDescriptors {
 public:
  explicit FewDescriptors(int spare) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    std::vector<UniqueFd> taken;
    for (int i = 0; i <= spare; ++i) taken.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const rlimit few{static_cast<rlim_t>(taken.back().get()), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE("a form whose files find no descriptor left says so and leaves nothing") {
  if (descriptors_run_out_late()) return;
  for (const SinkStrategy* strategy : seeing_strategies()) {
    INFO(strategy->name);
    ContractFixture f;
    const std::string body = form_of_files(8);
    {
      const FewDescriptors few(4);
      FormUpload upload(f, *strategy);
      upload.write(body, {200});
      CHECK(f.turns.run_until([&] { return upload.over(); }));
      // Some open their parts only when all has come, one after the other.
      CHECK((upload.failed_with(ErrorCode::kTooManyOpen) || upload.done()));
      if (strategy->blocks_loop && strategy->name != "spool") CHECK_FALSE(upload.done());
    }
    f.check_clean();
    const std::size_t left = files_in(f.root).size();
    CHECK((left == 0 || left == 8));
  }
}

/// A chunk as chunked coding leaves it: between bytes of its framing, and the connection keeps its slab.
struct HeldChunk {
  Chunk all;
  Chunk body;
};

HeldChunk held_chunk(SlabPool& slabs, Resumer& waiter, std::string_view text) {
  SlabRef slab = slabs.acquire(waiter);
  REQUIRE(slab);
  std::memcpy(slab.data() + 3, text.data(), text.size());
  const Chunk all(std::move(slab), 0, text.size() + 5);
  return {all, all.slice(3, text.size())};
}

TEST_CASE("two chunked forms that need a slab more than there are do not wait for each other") {
  const std::string content = "abc\r\n--" + std::string(kFormBoundary.substr(0, 20)) + "def";
  const std::string body = file_part("file", "a", content) + closing();
  const std::size_t cut = body.find("abc") + 17;  // within what seems to be a boundary
  struct Client {
    CountingResumer resumer;
    std::unique_ptr<BodySink> sink;
    HeldChunk chunk;
  };
  for (const SinkStrategy* strategy : seeing_strategies()) {
    INFO(strategy->name);
    ContractFixture f(2 * kSlabBytes);
    {
      std::vector<Client> clients(2);
      for (Client& client : clients) {
        client.sink = make_form_sink(f.uploads, client.resumer, {"forms", PublishMode::kFresh}, *strategy,
                                     std::string(kFormBoundary));
        client.chunk = held_chunk(f.slabs, client.resumer, body.substr(0, cut));
        REQUIRE(client.sink->write(std::move(client.chunk.body)).ok());
        client.chunk = {};
        REQUIRE(f.turns.run_until([&] { return f.quiet(); }));
      }
      REQUIRE(f.slabs.bytes_in_use() == 0);
      for (Client& client : clients) client.chunk = held_chunk(f.slabs, client.resumer, body.substr(cut));
      for (Client& client : clients) REQUIRE(client.sink->write(std::move(client.chunk.body)).ok());
      for (Client& client : clients) {
        CHECK(f.turns.run_until([&] {
          const auto asked = client.sink->write(Chunk());
          return asked.ok() && *asked == Flow::kMore;
        }));
      }
      for (Client& client : clients) {
        client.chunk = {};
        REQUIRE(f.turns.run_until([&] {
          const auto finished = client.sink->finish();
          return finished.ok() && *finished == Flow::kDone;
        }));
        CHECK(content_of(f.root / client.sink->stored().file_path) == content);
      }
    }
    f.check_clean();
  }
}

}  // namespace
}  // namespace forklift
