#pragma once

#include <string>
#include <vector>

namespace forklift {

/// The null-terminated array of pointers that execve(2) wants, into strings that live elsewhere.
inline std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace forklift
