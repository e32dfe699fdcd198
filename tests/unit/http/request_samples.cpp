#include "unit/http/request_samples.h"

namespace forklift {
namespace {

using namespace std::string_literals;

const std::string kMalformed = "400 malformed-request";
const std::string kChunk = "400 chunk-malformed";
const std::string kMethod = "501 method-unknown";
const std::string kVersion = "505 version-unsupported";

std::string post(const std::string& fields, const std::string& body = "") {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

std::string line(const std::string& request_line) { return request_line + "\r\nHost: a\r\n\r\n"; }

std::string chunked(const std::string& body) { return post("Transfer-Encoding: chunked\r\n", body); }

std::vector<RefusedSample> framing_samples() {
  return {
      {"CL.TE", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"), kMalformed},
      {"TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "5c\r\nG"), kMalformed},
      {"space before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), kMalformed},
      {"tab before the colon", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), kMalformed},
      {"chunked, identity", post("Transfer-Encoding: chunked, identity\r\n"), kMalformed},
      {"identity", post("Transfer-Encoding: identity\r\n"), kMalformed},
      {"gzip", post("Transfer-Encoding: gzip\r\n"), kMalformed},
      {"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), "501 transfer-coding-unknown"},
      {"xchunked", post("Transfer-Encoding: xchunked\r\n"), kMalformed},
      {"chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n"), kMalformed},
      {"chunked with a comma", post("Transfer-Encoding: chunked,\r\n"), kMalformed},
      {"comma before chunked", post("Transfer-Encoding: ,chunked\r\n"), "501 transfer-coding-unknown"},
      {"chunked quoted", post("Transfer-Encoding: \"chunked\"\r\n"), kMalformed},
      {"chunked with a vertical tab", post("Transfer-Encoding: \vchunked\r\n"), kMalformed},
      {"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), kMalformed},
      {"identity, then chunked", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
       kMalformed},
      {"chunked, then identity", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
       kMalformed},
      {"empty coding", post("Transfer-Encoding:\r\n"), kMalformed},
      {"coding under 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", kMalformed},
      {"length +5", post("Content-Length: +5\r\n", "hello"), kMalformed},
      {"length -1", post("Content-Length: -1\r\n"), kMalformed},
      {"length 0x5", post("Content-Length: 0x5\r\n", "hello"), kMalformed},
      {"length 5,5", post("Content-Length: 5,5\r\n", "hello"), kMalformed},
      {"length 5 5", post("Content-Length: 5 5\r\n", "hello"), kMalformed},
      {"length 5.0", post("Content-Length: 5.0\r\n", "hello"), kMalformed},
      {"length empty", post("Content-Length:\r\n"), kMalformed},
      {"length 2^64", post("Content-Length: 18446744073709551616\r\n"), kMalformed},
      {"length of 40 digits", post("Content-Length: " + std::string(40, '9') + "\r\n"), kMalformed},
      {"length twice, the same", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), kMalformed},
      {"length twice, another", post("Content-Length: 5\r\ncontent-length: 6\r\n", "hello"), kMalformed},
  };
}

std::vector<RefusedSample> line_samples() {
  return {
      {"folded field", post("X: a\r\n b\r\n"), kMalformed},
      {"folded length", post("Content-Length:\r\n 5\r\n", "hello"), kMalformed},
      {"space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", kMalformed},
      {"bare CR in a value", post("X: a\rb\r\n"), kMalformed},
      {"bare CR before a field", post("X: a\rTransfer-Encoding: chunked\r\n"), kMalformed},
      {"bare LF behind a value", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", kMalformed},
      {"bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", kMalformed},
      {"bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", kMalformed},
      {"bare LF before the request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", kMalformed},
      {"bare CR before the request", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", kMalformed},
      {"two CR", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", kMalformed},
      {"NUL in a value", post("X: a\0b\r\n"s), kMalformed},
      {"NUL in a name", post("X\0: a\r\n"s), kMalformed},
      {"DEL in a value", post("X: a\x7F\r\n"), kMalformed},
      {"byte over ASCII in a name", post("X\xE9: a\r\n"), kMalformed},
      {"no name", post(": a\r\n"), kMalformed},
      {"no colon", post("Nothing\r\n"), kMalformed},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", kMalformed},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", kMalformed},
      {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", kMalformed},
      {"Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", kMalformed},
      {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", kMalformed},
      {"Host with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", kMalformed},
      {"Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", kMalformed},
      {"two Hosts under 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", kMalformed},
      {"unknown expectation", post("Expect: 200-ok\r\n"), "417 expectation-unknown"},
  };
}

std::vector<RefusedSample> request_line_samples() {
  return {
      {"HTTP/0.9", "GET /\r\n", kMalformed},
      {"HTTP/0.9 said aloud", line("GET / HTTP/0.9"), kVersion},
      {"HTTP/2.0", line("GET / HTTP/2.0"), kVersion},
      {"HTTP/1.2", line("GET / HTTP/1.2"), kVersion},
      {"HTTP/3", line("GET / HTTP/3"), kMalformed},
      {"HTTP/1.10", line("GET / HTTP/1.10"), kMalformed},
      {"lower-case version", line("GET / http/1.1"), kMalformed},
      {"another protocol", line("DESCRIBE / RTSP/1.0"), kMethod},
      {"another protocol by GET", line("GET / RTSP/1.0"), kMalformed},
      {"ICE", line("SOURCE / ICE/1.0"), kMalformed},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", kMethod},
      {"TLS hello", "\x16\x03\x01\x02\x00\x01"s, kMalformed},
      {"SSH", "SSH-2.0-OpenSSH_9.2\r\n", kMethod},
      {"unknown method", line("BREW / HTTP/1.1"), kMethod},
      {"unknown method that begins as a known one", line("GETT / HTTP/1.1"), kMethod},
      {"lower-case method", line("get / HTTP/1.1"), kMethod},
      {"method with a bad byte", line("G@T / HTTP/1.1"), kMalformed},
      {"no method", line(" / HTTP/1.1"), kMalformed},
      {"CONNECT", line("CONNECT a:443 HTTP/1.1"), kMethod},
      {"two spaces before the target", line("GET  / HTTP/1.1"), kMalformed},
      {"two spaces behind the target", line("GET /  HTTP/1.1"), kMalformed},
      {"space at the end", line("GET / HTTP/1.1 "), kMalformed},
      {"tab in the request line", line("GET\t/ HTTP/1.1"), kMalformed},
      {"control character in the target", line("GET /a\x01 HTTP/1.1"), kMalformed},
      {"NUL in the target", line("GET /a\0b HTTP/1.1"s), kMalformed},
      {"byte over ASCII in the target", line("GET /\xC3\xA9 HTTP/1.1"), kMalformed},
      {"fragment", line("GET /a#b HTTP/1.1"), kMalformed},
      {"no slash", line("GET a HTTP/1.1"), kMalformed},
      {"authority as target", line("GET a:80 HTTP/1.1"), kMalformed},
      {"another scheme", line("GET ftp://a/ HTTP/1.1"), kMalformed},
      {"absolute form with a user", line("GET http://u@a/ HTTP/1.1"), kMalformed},
      {"absolute form without host", line("GET http:///a HTTP/1.1"), kMalformed},
      {"asterisk with more", line("OPTIONS *a HTTP/1.1"), kMalformed},
  };
}

std::vector<RefusedSample> chunk_samples() {
  return {
      {"no size", chunked("\r\nhello\r\n0\r\n\r\n"), kChunk},
      {"size +5", chunked("+5\r\nhello\r\n0\r\n\r\n"), kChunk},
      {"size -1", chunked("-1\r\n"), kChunk},
      {"size 0x5", chunked("0x5\r\nhello\r\n0\r\n\r\n"), kChunk},
      {"space before the size", chunked(" 5\r\nhello\r\n0\r\n\r\n"), kChunk},
      {"space behind the size", chunked("5 \r\nhello\r\n0\r\n\r\n"), kChunk},
      {"size over 64 bits", chunked("10000000000000000\r\nhello"), kChunk},
      {"bare LF behind the size", chunked("5\nhello\r\n0\r\n\r\n"), kChunk},
      {"bare CR behind the size", chunked("5\rhello\r\n0\r\n\r\n"), kChunk},
      {"bare LF in an extension", chunked("5;a\nhello\r\n0\r\n\r\n"), kChunk},
      {"bare LF in a quoted extension", chunked("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"), kChunk},
      {"bare CR in an extension", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"), kChunk},
      {"data too long", chunked("5\r\nhello!\r\n0\r\n\r\n"), kChunk},
      {"data too short", chunked("5\r\nhell\r\n0\r\n\r\n"), kChunk},
      {"bare LF behind the data", chunked("5\r\nhello\n0\r\n\r\n"), kChunk},
      {"no line end behind the data", chunked("5\r\nhello0\r\n\r\n"), kChunk},
      {"bare LF behind the last chunk", chunked("0\n\n"), kChunk},
      {"bare LF behind a trailer", chunked("0\r\nA: b\n\r\n"), kChunk},
      {"folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), kChunk},
      {"trailer without name", chunked("0\r\n: b\r\n\r\n"), kChunk},
      {"trailer without colon", chunked("0\r\nGET / HTTP/1.1\r\n\r\n"), kChunk},
      {"NUL in a trailer", chunked("0\r\nA: \0\r\n\r\n"s), kChunk},
  };
}

}  // namespace

const std::vector<RefusedSample>& refused_samples() {
  static const std::vector<RefusedSample> samples = [] {
    std::vector<RefusedSample> all = framing_samples();
    for (const auto& more : {line_samples(), request_line_samples(), chunk_samples()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return samples;
}

std::vector<std::string> all_samples() {
  std::vector<std::string> all{
      "GET /a?b=c HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, x\r\nEmpty:\r\nX:  y z \t\r\n\r\n",
      "\r\n\r\nGET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
      "GET http://[::1]:80/x HTTP/1.1\r\nHost: [::1]:80\r\n\r\nOPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
      post("Content-Length: 0005\r\nExpect: 100-continue\r\n", "hello") + post("Content-Length: 0\r\n") +
          line("PATCH / HTTP/1.1"),
      chunked("5\r\nhello\r\nA;a=b;c=\"d e\"\r\n0123456789\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\n") +
          chunked("000\r\n\r\n") + line("GET /z HTTP/1.1"),
      post("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nTransfer-Encoding: Chunked\r\n",
           "1\r\n\r\r\n2\r\n\r\n\r\n0\r\n\r\nGET"),
      chunked("7fffffffffffffff\r\nunfinished"),
      "GET /" + std::string(120, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n",
      post("X: " + std::string(500, 'x') + "\r\n"),
      post("A:1\r\nB:2\r\nC:3\r\nD:4\r\nE:5\r\nF:6\r\nG:7\r\nH:8\r\nI:9\r\n"),
      chunked("0\r\nX: " + std::string(500, 'x') + "\r\n\r\n"),
      chunked("0\r\nA:1\r\nB:2\r\nC:3\r\nD:4\r\nE:5\r\nF:6\r\nG:7\r\nH:8\r\nI:9\r\n\r\n"),
      post("X: caf\xC3\xA9\r\n"),
  };
  for (const RefusedSample& sample : refused_samples()) all.push_back(sample.stream);
  return all;
}

}  // namespace forklift
