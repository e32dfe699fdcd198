#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace forklift {

/// The media type of a file by the last extension of its name, in any case. Loaded once when the worker
/// starts; owned by its main, read by the answers.
///
/// Every text/* is given charset=utf-8: browsers take text that names none for windows-1252, and what people
/// upload today is UTF-8. (nginx adds none.) Who serves another charset says so in the table,
/// "text/html;charset=shift_jis htm"; what a page says in its <meta> does not count against the header.
class MediaTypes {
 public:
  /// The types every server needs.
  static MediaTypes built_in();

  /// From the lines "type extension extension …" of a mime.types(5), '#' begins a comment. Where an extension
  /// stands twice the later line wins, as with Apache. Lines that are none of this are skipped, so nothing
  /// gets into a header that is no media type (RFC 6838, 4.2), with a parameter or without.
  static MediaTypes parse(std::string_view table);

  /// The system's table (Debian: package media-types); built_in() where the file isn't there or holds none.
  static MediaTypes load(const char* path = "/etc/mime.types");

  /// For Content-Type. Of a name without a known extension: application/octet-stream. Valid as long as this.
  std::string_view of(std::string_view name) const;

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string extension;  // in lower case, without the dot
    std::string type;
  };

  void add_line(std::string_view line);
  void sort();

  std::vector<Entry> entries_;  // by extension, each once
};

}  // namespace forklift
