#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/upload/strategies.h"

namespace forklift {

/// One file of a form, stored.
struct FormFile {
  std::string field;     // the part's name
  std::string filename;  // what the client called it: data, never a path
  Stored stored;
};

/// One field of a form that is no file.
struct FormField {
  std::string name;
  std::string value;
};

/// What a form held, in the order it came.
struct FormContent {
  std::vector<FormFile> files;  // at least one
  std::vector<FormField> fields;
};

/// Where the article's endpoints put what they get. No file can have this name.
inline constexpr const char* kUploadDirectory = "uploads";

/// What one form may ask for. Over it: kBodyTooLarge.
struct FormLimits {
  std::size_t files_max = 32;
  std::size_t parts_max = 1000;
  std::size_t part_header_bytes_max = 8 * 1024;  // of one part
  std::size_t field_bytes_max = 1024 * 1024;     // of all fields together, and all names
  std::size_t surround_bytes_max = 64 * 1024;    // preamble and epilogue, each
};

/// The boundary of a Content-Type "multipart/form-data; boundary=…" (RFC 2046, 5.1.1; RFC 7578), unquoted;
/// empty where it is another type or the boundary is missing or malformed.
std::string form_boundary(std::string_view content_type);

/// A sink that takes a multipart/form-data body apart while it arrives: each file goes through a sink of its
/// own, made by `inner` (which must see the bytes), into the directory that `target` names (empty: the root).
/// With kFresh each gets a fresh name there; with kCreateOnly the last part of its filename (RFC 7578, 4.2),
/// where it has one: kNameTaken where that stands there already. form() says what came.
///
/// A file is a part with a filename, or one called "file"; a browser's file input that was left unused (empty
/// filename, no bytes) is none. Nothing is published before the closing boundary has come: a form that is cut
/// off, malformed, over a limit or without a file (kBadBody, kBodyTooLarge; an empty `boundary` is kBadBody
/// too) leaves nothing. So its files are open until then: over what all forms of the worker may hold
/// (form_uploads.h) it is kTooManyOpen, or kBodyTooLarge where it could never be had. finish() publishes file
/// by file, in order; when one fails, those before it are removed again before the error is told, so that
/// others may have seen them for that moment. A process that is killed between two of them leaves the first
/// ones, each whole, for a form that was never answered.
std::unique_ptr<BodySink> make_form_sink(const UploadServices& services, Resumer& resumer,
                                         UploadTarget target, const SinkStrategy& inner, std::string boundary,
                                         const FormLimits& limits = {});

/// A sink that gathers a JSON body {"file": "<base64>"} and writes the decoded bytes through a sink made by
/// `inner` (worker/upload/json_base64.cpp). `size` is what is announced. form() says what came. The caller
/// asks by an empty write() before the first chunk too: a chunk that comes unasked while memory is short is
/// kNoMemory. waits_for_memory() tells a wait for that from one for the disk.
std::unique_ptr<BodySink> make_json_sink(const UploadServices& services, Resumer& resumer,
                                         UploadTarget target, const SinkStrategy& inner,
                                         std::optional<std::uint64_t> size);

}  // namespace forklift
