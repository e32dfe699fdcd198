#include "worker/http/representation.h"

#include <string_view>

#include "worker/http/json.h"
#include "worker/http/percent.h"

namespace forklift {

namespace {

void append_member(std::string& json, std::string_view name, std::string_view value) {
  append_json_string(json, name);
  json += ": ";
  append_json_string(json, value);
}

void append_stored(std::string& json, const Stored& stored, std::string_view asked) {
  if (stored.ephemeral) {
    json += R"("file_path": null)";
  } else {
    append_member(json, "file_path", stored.file_path);
  }
  json += R"(, "size": )";
  json += std::to_string(stored.size);
  json += ", ";
  append_member(json, "durability", durability_text(stored));
  json += ", ";
  append_member(json, "strategy", strategy_of(stored, asked));
}

bool unreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         std::string_view("-._~/").find(byte) != std::string_view::npos;
}

}  // namespace

std::string_view strategy_of(const Stored& stored, std::string_view asked) {
  return stored.written_by.empty() ? asked : stored.written_by;
}

std::string_view durability_text(const Stored& stored) {
  return stored.ephemeral ? "memory" : to_string(stored.durability);
}

std::string stored_json(const Stored& stored, std::string_view asked) {
  std::string json = "{";
  append_stored(json, stored, asked);
  return json + "}\n";
}

std::string form_json(const FormContent& form, std::string_view asked) {
  std::string json = "{";
  append_stored(json, form.files.front().stored, asked);
  json += R"(, "files": [)";
  for (const FormFile& file : form.files) {
    json += &file == &form.files.front() ? "{" : ", {";
    append_member(json, "field", file.field);
    json += ", ";
    append_member(json, "filename", file.filename);
    json += ", ";
    append_stored(json, file.stored, asked);
    json += '}';
  }
  json += R"(], "fields": [)";
  for (const FormField& field : form.fields) {
    json += &field == &form.fields.front() ? "{" : ", {";
    append_member(json, "name", field.name);
    json += ", ";
    append_member(json, "value", field.value);
    json += '}';
  }
  return json + "]}\n";
}

void append_percent_encoded(std::string& out, std::string_view text) {
  append_percent_encoded(out, text, unreserved);
}

std::string location_of(std::string_view name) {
  std::string location = "/files/";
  append_percent_encoded(location, name);
  return location;
}

}  // namespace forklift
