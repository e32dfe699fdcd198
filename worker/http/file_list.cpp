#include "worker/http/file_list.h"

#include <time.h>

#include "worker/http/json.h"
#include "worker/http/representation.h"

namespace forklift {

namespace {

std::string utc_of(time_t time) {
  tm utc{};
  ::gmtime_r(&time, &utc);
  char text[32];
  return {text, ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

void append_parameter(std::string& url, std::string_view name_and_equals, std::string_view value) {
  if (value.empty()) return;
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += name_and_equals;
  append_percent_encoded(url, value);
}

/// Empty on the last page.
std::string next_page(const List& asked, const Listing& listing) {
  if (!listing.truncated) return {};
  std::string url = "/files/";
  append_parameter(url, "prefix=", asked.prefix);
  append_parameter(url, "limit=", std::to_string(asked.limit));
  append_parameter(url, "after=", listing.next_after);
  return url;
}

void append_file(std::string& json, const Listing::File& file) {
  json += R"({"file_path": )";
  append_json_string(json, file.name);
  json += R"(, "url": )";
  append_json_string(json, location_of(file.name));
  json += R"(, "size": )" + std::to_string(file.version.size);
  json += R"(, "modified": )";
  append_json_string(json, utc_of(file.version.modified.tv_sec));
  json += R"(, "etag": )";
  append_json_string(json, etag_of(file.version));
  json += '}';
}

/// As text between tags and as a value in double quotes. What is no UTF-8 is the browser's to replace.
void append_escaped(std::string& html, std::string_view text) {
  for (const char byte : text) {
    switch (byte) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += byte;
    }
  }
}

void append_link(std::string& html, std::string_view url, std::string_view text) {
  html += "<a href=\"";
  append_escaped(html, url);
  html += "\"><bdi>";
  append_escaped(html, text);
  html += "</bdi></a>";
}

constexpr std::string_view kPageHead =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Files</title>\n"
    "<style>\n"
    "body { font-family: sans-serif; margin: 2em; color-scheme: light dark }\n"
    "td, th { padding: 0.2em 1em 0.2em 0; text-align: left; overflow-wrap: anywhere }\n"
    "td + td, th + th { text-align: right; white-space: nowrap }\n"
    "</style>\n";

}  // namespace

std::string file_list_json(const List& asked, const Listing& listing) {
  std::string json = R"({"files": [)";
  for (const Listing::File& file : listing.files) {
    if (&file != &listing.files.front()) json += ", ";
    append_file(json, file);
  }
  json += R"(], "next": )";
  if (const std::string next = next_page(asked, listing); next.empty()) {
    json += "null";
  } else {
    append_json_string(json, next);
  }
  return json + "}\n";
}

std::string file_list_html(const List& asked, const Listing& listing) {
  std::string html(kPageHead);
  html += "<h1>Files <bdi>";
  append_escaped(html, asked.prefix);
  html += "</bdi></h1>\n<table>\n<tr><th>Name<th>Bytes<th>Modified\n";
  for (const Listing::File& file : listing.files) {
    html += "<tr><td>";
    append_link(html, location_of(file.name), file.name);
    html += "<td>" + std::to_string(file.version.size);
    html += "<td>" + utc_of(file.version.modified.tv_sec) + "\n";
  }
  html += "</table>\n";
  if (listing.files.empty()) {
    html += listing.truncated ? "<p>There are no files up to here.\n" : "<p>There are no files here.\n";
  }
  if (const std::string next = next_page(asked, listing); !next.empty()) {
    html += "<p>";
    append_link(html, next, "Next page");
    html += '\n';
  }
  return html;
}

}  // namespace forklift
