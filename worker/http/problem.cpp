#include "worker/http/problem.h"

#include <system_error>

#include "common/errno_error.h"
#include "worker/http/json.h"

namespace forklift {
namespace {

struct Meaning {
  int status;
  const char* type;
  const char* detail;  // null: the error's operation is the sentence
};

Meaning meaning_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return {404, "not-found", "There is no file of this name."};
    case ErrorCode::kBadName:
      return {
          400, "name-bad",
          "No file can have this name: give parts separated by single slashes, none of them \".\" or \"..\", "
          "without control characters and with every '%' followed by two hexadecimal digits."};
    case ErrorCode::kNameTooLong:
      return {400, "name-too-long", "The name is too long: a part may have 255 bytes, all of it 4095."};
    case ErrorCode::kForbidden:
      return {403, "forbidden", "The way to this name leads through a link, or permissions refuse it."};
    case ErrorCode::kNotRegular:
      return {403, "not-regular", "This is not a regular file, but a device, a pipe or a socket."};
    case ErrorCode::kReservedName:
      return {409, "name-reserved",
              "Names that begin with \"upload\", \"download\" or \".forklift\" as first part belong to the "
              "server, and \"uploads\" alone is a directory of its own; choose another."};
    case ErrorCode::kConflict:
      return {409, "conflict", "A directory stands at this name, or a file where it needs a directory."};
    case ErrorCode::kExists:
      return {412, "exists", "A file of this name exists, and the request wanted to create it."};
    case ErrorCode::kNameTaken:
      return {409, "name-taken",
              "A file of the form has the name of one that exists; a form replaces none, and nothing was "
              "stored."};
    case ErrorCode::kPrecondition:
      return {412, "precondition", "What stands at this name is not what the request expected."};
    case ErrorCode::kBusy:
      return {503, "busy", "Another request holds this name; nothing was changed, try again."};
    case ErrorCode::kNoSpace:
      return {507, "no-space", "The disk or its quota is full; nothing was stored."};
    case ErrorCode::kFileTooBig:
      return {413, "file-too-big", "The file system cannot hold a file of this size; nothing was stored."};
    case ErrorCode::kReadOnly:
      return {503, "read-only", "The file system is mounted read-only; nothing was changed."};
    case ErrorCode::kTooManyOpen:
      return {503, "too-many-open", "The server has no descriptor left; try again later."};
    case ErrorCode::kNoMemory:
      return {503, "no-memory", "The server is out of memory; try again later."};
    case ErrorCode::kUnsupported:
      return {501, "unsupported", "This server's kernel or file system lacks what the request needs."};
    case ErrorCode::kBadBody:
      return {400, "body-bad", nullptr};
    case ErrorCode::kBodyTooLarge:
      return {413, "body-too-large", nullptr};
    case ErrorCode::kDigestMismatch:
      return {400, "digest-mismatch", nullptr};
    case ErrorCode::kPeerGone:
      return {400, "client-gone", "The connection ended before the request did."};
    case ErrorCode::kIo:
      break;
  }
  return {500, "io", "The server's storage failed."};
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += ',';
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

}  // namespace

Problem problem_of(const Error& error) {
  const Meaning meaning = meaning_of(error.code);
  const bool says_it_itself = meaning.detail == nullptr || error.limit >= 0;
  Problem problem{meaning.status, meaning.type, says_it_itself ? sentence_of(error) : meaning.detail, {}};
  if (error.position >= 0) problem.detail += " (byte " + std::to_string(error.position) + " of the body)";
  if (meaning.status >= 500 && error.os_error != 0) {
    problem.detail += " (";
    problem.detail += error.operation;
    problem.detail += ": " + std::generic_category().message(error.os_error) + ")";
  }
  return problem;
}

std::string problem_json(const Problem& problem, std::string_view request_id) {
  std::string out = "{\"type\":\"urn:forklift:problem:";
  out += problem.type;
  out += '"';
  append_member(out, "title", reason_phrase(problem.status));
  out += ",\"status\":" + std::to_string(problem.status);
  append_member(out, "detail", problem.detail);
  if (!request_id.empty()) append_member(out, "instance", request_id);
  out += "}\n";
  return out;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

}  // namespace forklift
