// What a form promises, whatever strategy its files go through.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/form_upload.h"

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
  REQUIRE(upload.form().files.size() == contents.size());
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const FormFile& file = upload.form().files[i];
    CHECK(file.stored.size == contents[i].size());
    if (fs::exists(f.root / file.stored.file_path))
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
  };
  const std::vector<Case> cases = {
      {good, ErrorCode::kBadBody},
      {good + closing().substr(0, closing().size() - 3), ErrorCode::kBadBody},
      {good + "--" + std::string(kFormBoundary) + "x", ErrorCode::kBadBody},
      {good + "--" + std::string(kFormBoundary) + "\r\nX\r\n\r\n", ErrorCode::kBadBody},
      {good + file_part("c", "c", "c") + closing(), ErrorCode::kBodyTooLarge},
      {good + field_part("fie", "ld") + field_part("s", "") + closing(), ErrorCode::kBodyTooLarge},
      {good + closing() + "epilogue!", ErrorCode::kBodyTooLarge}};
  for (const SinkStrategy* strategy : seeing_strategies()) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      INFO(strategy->name << " case " << i);
      ContractFixture f;
      {
        FormUpload upload(f, *strategy, limits);
        run_form(f, upload, cases[i].body, {70001});
        CHECK(upload.failed_with(cases[i].code));
      }
      f.check_clean();
      CHECK(files_in(f.root).empty());
    }
  }
}

TEST_CASE("a form without a file, or without a boundary, is a bad body") {
  const std::string file = file_part("file", "a", "x");
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
      run_form(f, upload, file + closing());
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

}  // namespace
}  // namespace forklift
